package render

// Left returns all that a Scratch keeps in memory.
func (s *Scratch) Left() ([]byte, []Sink) { return s.buf[:cap(s.buf)], s.sinks[:cap(s.sinks)] }
