package memory_test

import (
	"testing"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() })
}
