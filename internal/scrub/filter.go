package scrub

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// filter tells texts that hold no form of a secret from those that may hold one, before an
// automaton is asked. It all but knows the first MinLength bytes of forms, by 31 bits of their
// hashes: every form is at least as long.
//
// Most of a text is not looked at. With a stride of n, a form that begins anywhere covers one of
// the places n-1, 2n-1, 3n-1 and so on with one of its first n pieces of five bytes, so only
// these places are looked up, in a set of bits; where that says yes, the n places where the form
// may begin are compared. The longer the shortest form is, the longer the stride may be.
type filter struct {
	shortest int      // length of the shortest form, as far as it is looked for
	stride   int      // at most shortest-pieceLength+1
	keys     []uint32 // an open table of the hashes of beginnings; 0 is a free place
	bits     []uint64 // of the hashes of pieces, two in one word for each
}

const (
	pieceLength = 5
	pieceMask   = 1<<(8*pieceLength) - 1
	// maxStride bounds the pieces that are kept for each form.
	maxStride = 24
)

// newFilter takes the heads of all forms.
func newFilter(heads map[string]int) *filter {
	f := &filter{shortest: maxHead}
	for head := range heads {
		f.shortest = min(f.shortest, len(head))
	}
	f.stride = min(f.shortest-pieceLength+1, maxStride)
	beginnings, pieces := f.parts(heads)
	f.keys = make([]uint32, powerOfTwo(len(beginnings)*3/2))
	for _, key := range beginnings {
		f.add(key)
	}
	f.bits = make([]uint64, len(pieces)/4+1) // 16 bits for each piece
	for _, piece := range pieces {
		word, marks := f.place(piece)
		f.bits[word] |= marks
	}
	return f
}

// parts returns the beginnings and the pieces of all forms, each once: those of one secret have most of them
// in common.
func (f *filter) parts(heads map[string]int) (beginnings, pieces []uint64) {
	for head := range heads {
		beginnings = append(beginnings, binary.LittleEndian.Uint64([]byte(head[:MinLength])))
		for at := range f.stride {
			pieces = append(pieces, piece(head[at:]))
		}
	}
	slices.Sort(beginnings)
	slices.Sort(pieces)
	return slices.Compact(beginnings), slices.Compact(pieces)
}

// piece is the first piece of a text that is long enough.
func piece(text string) uint64 {
	var word [8]byte
	copy(word[:], text[:pieceLength])
	return binary.LittleEndian.Uint64(word[:])
}

func powerOfTwo(atLeast int) int { return 1 << bits.Len(uint(max(atLeast, 2)-1)) }

func (f *filter) add(key uint64) {
	at, mark := f.slot(key)
	for f.keys[at] != 0 && f.keys[at] != mark {
		at = (at + 1) & (len(f.keys) - 1)
	}
	f.keys[at] = mark
}

// mix spreads x over the high bits.
func mix(x uint64) uint64 { return x * 0x9E3779B97F4A7C15 }

// place is where the bits of a piece are.
func (f *filter) place(piece uint64) (word int, marks uint64) {
	h := mix(piece)
	high, _ := bits.Mul64(h, uint64(len(f.bits)))
	return int(high), 1<<(h>>26&63) | 1<<(h>>32&63)
}

// slot is where a beginning should be, and what stands for it there. It is mixed twice: secrets of one maker
// begin alike, and differ in what mix spreads over the highest bits alone.
func (f *filter) slot(key uint64) (at int, mark uint32) {
	h := mix(key)
	h = mix(h ^ h>>32)
	return int(h>>16) & (len(f.keys) - 1), uint32(h>>32) | 1
}

func (f *filter) has(key uint64) bool {
	at, mark := f.slot(key)
	for ; f.keys[at] != 0; at = (at + 1) & (len(f.keys) - 1) {
		if f.keys[at] == mark {
			return true
		}
	}
	return false
}

// passes reports whether text may hold a form; a nil filter lets nothing pass.
func (f *filter) passes(text []byte) bool {
	if f == nil || len(text) < f.shortest {
		return false
	}
	at := f.stride - 1
	for ; at+8 <= len(text); at += f.stride {
		word, marks := f.place(binary.LittleEndian.Uint64(text[at:]) & pieceMask)
		if f.bits[word]&marks == marks && f.begins(text, at) {
			return true
		}
	}
	if at+pieceLength > len(text) {
		return false
	}
	// The last piece cannot be read in one go from where it begins.
	last := binary.LittleEndian.Uint64(text[len(text)-8:]) >> (8 * (at + 8 - len(text)))
	word, marks := f.place(last & pieceMask)
	return f.bits[word]&marks == marks && f.begins(text, at)
}

// begins reports whether a form may begin at a place or less than a stride before it.
func (f *filter) begins(text []byte, at int) bool {
	for start := max(at-f.stride+1, 0); start <= at && start+MinLength <= len(text); start++ {
		if f.has(binary.LittleEndian.Uint64(text[start:])) {
			return true
		}
	}
	return false
}

func (f *filter) size() int { return 4*len(f.keys) + 8*len(f.bits) }

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
