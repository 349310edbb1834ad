package schema

// nameTable finds members by name. Names of one slot are compared one by one; where that might
// be many, a map finds them.
type nameTable struct {
	slots []int16 // :: slot → place of its first member + 1; their number is a power of two
	next  []int16 // :: place → that of the next member in its slot + 1
	many  map[string]int
}

// longestSlot is how many names are compared one by one.
const longestSlot = 4

func newNameTable(members []memberRule) nameTable {
	size := 1
	for size < 2*len(members) {
		size *= 2
	}
	t := nameTable{slots: make([]int16, size), next: make([]int16, len(members))}
	length := make([]int, size)
	for i := range members {
		slot := slotOf([]byte(members[i].name), size)
		t.slots[slot], t.next[i] = int16(i+1), t.slots[slot]
		if length[slot]++; length[slot] > longestSlot || i >= 1<<14 {
			return manyNames(members)
		}
	}
	return t
}

func manyNames(members []memberRule) nameTable {
	many := make(map[string]int, len(members))
	for i := range members {
		many[members[i].name] = i
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
	at := t.slots[slotOf(name, len(t.slots))]
	for at > 0 && members[at-1].name != string(name) {
		at = t.next[at-1]
	}
	return int(at) - 1
}

func slotOf(name []byte, slots int) int {
	h := len(name)
	if h > 0 {
		h += 7*int(name[0]) + 19*int(name[len(name)-1]) + 37*int(name[len(name)/2])
	}
	return h & (slots - 1)
}
