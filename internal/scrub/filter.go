package scrub

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// filter tells texts that hold no form of a secret from those that may hold one, before an
// automaton is asked. It is exact for the first MinLength bytes of forms: every form is at
// least as long.
//
// Most of a text is not looked at. A form that begins anywhere covers one of the places 3, 7,
// 11 and so on with one of its first four pieces of five bytes, so only these places are
// looked up, in a set of bits; where that says yes, the four places where the form may begin
// are compared.
type filter struct {
	keys []uint64 // an open table of beginnings; 0 is a free place
	zero bool     // 0 is one of them
	bits []uint64 // of the hashes of pieces
}

const (
	stride    = 4
	pieceMask = 1<<(8*(MinLength-stride+1)) - 1
)

// newFilter takes the heads of all forms.
func newFilter(heads map[string]int) *filter {
	starts := map[uint64]bool{}
	for head := range heads {
		starts[binary.LittleEndian.Uint64([]byte(head[:MinLength]))] = true
	}
	f := &filter{
		keys: make([]uint64, powerOfTwo(2*len(starts))),
		bits: make([]uint64, powerOfTwo(len(starts))), // 16 bits for each piece
	}
	for key := range starts {
		f.add(key)
	}
	return f
}

func powerOfTwo(atLeast int) int { return 1 << bits.Len(uint(max(atLeast, 2)-1)) }

func (f *filter) add(key uint64) {
	for offset := range stride {
		h := hash(key>>(8*offset)&pieceMask) & uint64(64*len(f.bits)-1)
		f.bits[h/64] |= 1 << (h % 64)
	}
	if key == 0 {
		f.zero = true
		return
	}
	at := f.place(key)
	for f.keys[at] != 0 {
		at = (at + 1) & (len(f.keys) - 1)
	}
	f.keys[at] = key
}

// hash spreads x over the high bits and brings them down.
func hash(x uint64) uint64 { return x * 0x9E3779B97F4A7C15 >> 40 }

func (f *filter) place(key uint64) int { return int(hash(key)) & (len(f.keys) - 1) }

func (f *filter) has(key uint64) bool {
	if key == 0 {
		return f.zero
	}
	for at := f.place(key); f.keys[at] != 0; at = (at + 1) & (len(f.keys) - 1) {
		if f.keys[at] == key {
			return true
		}
	}
	return false
}

// passes reports whether text may hold a form; a nil filter lets nothing pass.
func (f *filter) passes(text []byte) bool {
	if f == nil || len(text) < MinLength {
		return false
	}
	mask := uint64(64*len(f.bits) - 1)
	at := stride - 1
	for ; at+8 <= len(text); at += stride {
		h := hash(binary.LittleEndian.Uint64(text[at:])&pieceMask) & mask
		if f.bits[h/64]&(1<<(h%64)) != 0 && f.begins(text, at) {
			return true
		}
	}
	// The pieces at the end are too short to be read in one go: the places are compared.
	return f.begins(text, at)
}

// begins reports whether a form may begin at a place or at one of the three before it.
func (f *filter) begins(text []byte, at int) bool {
	for start := max(at-stride+1, 0); start <= at && start+MinLength <= len(text); start++ {
		if f.has(binary.LittleEndian.Uint64(text[start:])) {
			return true
		}
	}
	return false
}

func (f *filter) size() int { return 8 * (len(f.keys) + len(f.bits)) }

// heads collects the heads of all forms of secrets, each with the length of its form.
func heads(values []string) map[string]int {
	whole := map[string]int{}
	for _, v := range values {
		addHeads(whole, v)
	}
	return whole
}

// longValues returns the values that are found anywhere, each once.
func longValues(secrets []Secret) []string {
	var values []string
	for _, s := range secrets {
		if len(s.Value) >= MinLength && !slices.Contains(values, s.Value) {
			values = append(values, s.Value)
		}
	}
	return values
}
