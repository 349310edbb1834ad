package schema

import "encoding/binary"

// nameTable finds members by name: few by comparing their heads one by one, many by a map.
type nameTable struct {
	heads []uint64 // :: place → head of the name
	many  map[string]int
}

// fewNames is how many heads are compared.
const fewNames = 16

func newNameTable(members []memberRule) nameTable {
	if len(members) <= fewNames {
		heads := make([]uint64, len(members))
		for at := range members {
			heads[at] = headOf([]byte(members[at].name))
		}
		return nameTable{heads: heads}
	}
	many := make(map[string]int, len(members))
	for at := range members {
		many[members[at].name] = at
	}
	return nameTable{many: many}
}

// find returns the place of the member of a name, or -1.
func (t *nameTable) find(members []memberRule, name []byte) int {
	if t.many != nil {
		if at, ok := t.many[string(name)]; ok {
			return at
		}
		return -1
	}
	head := headOf(name)
	for at, other := range t.heads {
		if other == head && members[at].name == string(name) {
			return at
		}
	}
	return -1
}

// headOf makes a number of a name that few others share: of eight of its bytes, or all if they are
// fewer.
func headOf(name []byte) uint64 {
	switch n := len(name); {
	case n >= 8:
		return binary.LittleEndian.Uint64(name)
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(name)) | uint64(binary.LittleEndian.Uint32(name[n-4:]))<<32
	case n > 0:
		return uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16
	}
	return 0
}
