//go:build unix

package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
)

// child runs this test binary in a role, for the file at path.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), role+"="+path)
	return cmd
}

func TestSmallDisk(t *testing.T) {
	path := newPath(t)
	out, err := child(t, fillerPath, path).CombinedOutput()
	require.NoError(t, err, string(out))
	open(t, path)
}

// fillSmallDisk is a child whose file may not grow beyond a limit, which is how a disk without
// space looks to a writer.
func fillSmallDisk(ctx context.Context, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := bolt.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	var none syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
		return err
	}
	low := none
	low.Cur = 1 << 20
	n := 0
	for range 3 {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
			return err
		}
		if n, err = fill(ctx, s, n, 1000); err == nil {
			return errors.New("the disk never became full")
		}
		if !strings.Contains(err.Error(), syscall.EFBIG.Error()) {
			return fmt.Errorf("on a full disk: %w", err)
		}
		if err := whole(ctx, s, n); err != nil {
			return fmt.Errorf("on a full disk: %w", err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &none); err != nil {
			return err
		}
		if n, err = fill(ctx, s, n, n+5); err != nil {
			return fmt.Errorf("when there is space again: %w", err)
		}
		if err := whole(ctx, s, n); err != nil {
			return err
		}
		low.Cur += 2 << 20
	}
	return nil
}

// fill makes writes until there are most, and returns how many were acknowledged. Each
// consists of a record and of the counter's next revision.
func fill(ctx context.Context, s storage.Store, n, most int) (int, error) {
	for ; n < most; n++ {
		counter := thing("counter")
		counter.Revision = int64(n + 1)
		count := storage.Create(counter)
		if n > 0 {
			count = storage.Update(counter, int64(n))
		}
		r := thing(fmt.Sprintf("record %06d", n))
		r.Data = make([]byte, 20_000)
		if err := s.Apply(ctx, count, storage.Create(r)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// whole fails unless there is all of n writes and nothing else.
func whole(ctx context.Context, s storage.Store, n int) error {
	page, err := s.List(ctx, storage.Query{Kind: "thing", Limit: storage.MaxPage})
	if err != nil {
		return err
	}
	counter, err := s.Get(ctx, thing("counter").Key)
	if err != nil {
		return err
	}
	if counter.Revision != int64(n) || len(page.Records) != n+1 {
		return fmt.Errorf("%d writes were acknowledged; the counter says %d, and there are %d records", n, counter.Revision, len(page.Records)-1)
	}
	return nil
}

// nobody is a user id that owns nothing.
const nobody = 65534

// openAndWrite is a child that, unlike root, must heed permissions.
func openAndWrite(ctx context.Context, path string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	s, err := bolt.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Apply(ctx, storage.Create(thing("b")))
}

// give sets a mode, and makes the file nobody's if this is root, who can.
func give(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.Chmod(path, mode))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(path, nobody, -1))
	}
}

func TestPermissionsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		file, dir os.FileMode
		want      string // empty: it works
	}{
		"all there":           {0o600, 0o700, ""},
		"read-only directory": {0o600, 0o500, ""}, // nothing is made beside the file
		"read-only file":      {0o400, 0o700, "permission denied"},
		"write-only file":     {0o200, 0o700, "permission denied"},
		"closed directory":    {0o600, 0o000, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			for _, above := range []string{temp, filepath.Dir(temp)} {
				require.NoError(t, os.Chmod(above, 0o755))
			}
			dir := filepath.Join(temp, "data")
			require.NoError(t, os.Mkdir(dir, 0o700))
			path := filepath.Join(dir, "hub.bolt")
			s, err := bolt.Open(t.Context(), path, nil)
			require.NoError(t, err)
			require.NoError(t, s.Apply(t.Context(), storage.Create(thing("a"))))
			require.NoError(t, s.Close())
			give(t, path, c.file)
			give(t, dir, c.dir)

			out, err := child(t, openerPath, path).CombinedOutput()
			if c.want == "" {
				assert.NoError(t, err, string(out))
			} else {
				assert.Error(t, err)
				assert.Contains(t, string(out), c.want)
			}
			require.NoError(t, os.Chmod(dir, 0o700))
			require.NoError(t, os.Chmod(path, 0o600))
			_, err = open(t, path).Get(t.Context(), thing("a").Key)
			assert.NoError(t, err, "the file is unharmed")
		})
	}
}
