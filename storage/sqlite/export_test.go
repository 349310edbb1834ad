package sqlite

import "database/sql"

// Pools returns the pools of readers and of the writer.
func (s *Store) Pools() (reader, writer *sql.DB) { return s.reader, s.writer }
