package memory

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/integrationhub/hub/storage"
)

// A backup is the magic, then each record as JSON with its length before it, a length of
// zero, and SHA-256 over all before.
const magic = "hub memory backup 1\n"

// maxRecord is more than the JSON of any record takes: data grows by a third, other text
// at most sixfold.
const maxRecord = 4 << 20

// Backup writes all records to w, as they are at one moment; those who write wait only
// while the records are listed, not while w takes them. What it writes ends with a checksum
// and is as secret as the store itself. [Restore] reads it.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	if err := s.backup(ctx, w); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, w io.Writer) error {
	records, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	sum := sha256.New()
	buffered := bufio.NewWriter(w)
	out := io.MultiWriter(buffered, sum)
	if _, err := io.WriteString(out, magic); err != nil {
		return err
	}
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeRecord(out, r); err != nil {
			return err
		}
	}
	if _, err := out.Write([]byte{0, 0, 0, 0}); err != nil {
		return err
	}
	if _, err := buffered.Write(sum.Sum(nil)); err != nil {
		return err
	}
	return buffered.Flush()
}

// snapshot returns all records of this moment. They are never changed once they are in the
// store, so it takes no copies.
func (s *Store) snapshot(ctx context.Context) (sorted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	return s.everywhere("", storage.Position{}, false), nil
}

// stored is a record as JSON. Texts are bytes there, since JSON keeps no others than UTF-8.
type stored struct {
	Tenant, Kind, ID, Parent, Name, Search []byte
	Labels                                 [][2][]byte
	Revision, Updated                      int64
	Data                                   []byte
}

func writeRecord(w io.Writer, r *storage.Record) error {
	v := stored{
		Tenant: []byte(r.Tenant), Kind: []byte(r.Kind), ID: []byte(r.ID),
		Parent: []byte(r.Parent), Name: []byte(r.Name), Search: []byte(r.Search),
		Revision: r.Revision, Updated: r.Updated.UnixMicro(), Data: r.Data,
	}
	for _, l := range r.Labels {
		v.Labels = append(v.Labels, [2][]byte{[]byte(l.Key), []byte(l.Value)})
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.BigEndian, uint32(len(text))); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// Restore returns a new store with the records of a backup. It fails unless the backup is
// whole: cut, lengthened or changed, it is refused.
func Restore(ctx context.Context, r io.Reader) (*Store, error) {
	s := New()
	if err := s.restore(ctx, r); err != nil {
		return nil, errors.Join(fmt.Errorf("memory: restore: %w", err), s.Close())
	}
	return s, nil
}

var errDamaged = errors.New("this is no backup of a memory store, or it is damaged")

func (s *Store) restore(ctx context.Context, r io.Reader) error {
	sum := sha256.New()
	buffered := bufio.NewReader(r)
	in := io.TeeReader(buffered, sum)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != magic {
		return damaged(err)
	}
	for {
		record, err := readRecord(in)
		if err != nil {
			return damaged(err)
		}
		if record == nil {
			break
		}
		if err := s.Apply(ctx, storage.Create(*record)); err != nil {
			return err
		}
	}
	want, err := io.ReadAll(io.LimitReader(buffered, sha256.Size+1))
	if err != nil || !bytes.Equal(want, sum.Sum(nil)) {
		return damaged(err)
	}
	return nil
}

// damaged passes on what a reader itself has to say.
func damaged(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return err
}

// readRecord returns nil after the last record.
func readRecord(r io.Reader) (*storage.Record, error) {
	var size uint32
	if err := binary.Read(r, binary.BigEndian, &size); err != nil || size == 0 {
		return nil, err
	}
	if size > maxRecord {
		return nil, errDamaged
	}
	var text bytes.Buffer // grows with what is there, not with what is promised
	if _, err := io.CopyN(&text, r, int64(size)); err != nil {
		return nil, err
	}
	var v stored
	if json.Unmarshal(text.Bytes(), &v) != nil {
		return nil, errDamaged
	}
	return v.record(), nil
}

func (v *stored) record() *storage.Record {
	r := storage.Record{
		Key:    storage.Key{Tenant: string(v.Tenant), Kind: string(v.Kind), ID: string(v.ID)},
		Parent: string(v.Parent), Name: string(v.Name), Search: string(v.Search),
		Revision: v.Revision, Updated: time.UnixMicro(v.Updated).UTC(), Data: v.Data,
	}
	for _, l := range v.Labels {
		r.Labels = append(r.Labels, storage.Label{Key: string(l[0]), Value: string(l[1])})
	}
	return &r
}
