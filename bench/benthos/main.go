// Benthos is the process of Benthos in the comparison of bench/peers, which builds and starts
// it. It is a module of its own: see there.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/integrationhub/hub/bench/internal/client"
)

func main() {
	if err := client.Main(context.Background(), open, true); err != nil {
		fmt.Fprintln(os.Stderr, "benthos:", err)
		os.Exit(1)
	}
}
