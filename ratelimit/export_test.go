package ratelimit

// Buckets counts those in memory.
func (l *Local) Buckets() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buckets)
}
