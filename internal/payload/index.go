package payload

// Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// Value is one value of a [Document].
type Value struct {
	Kind Kind
	// Escaped tells that a String holds escapes, NameEscaped that its name does.
	Escaped, NameEscaped bool
	// From and To are where the value lies in the text, a String with its quotes.
	From, To int32
	// NameFrom and NameTo are where the name of a member lies, without its quotes; both are zero for
	// what is no member.
	NameFrom, NameTo int32
	// Count is how many members or elements an Object or Array has. The first of them is
	// the value behind it.
	Count int32
	// Next is the place of the value that follows this one and all that is in it.
	Next int32
}

// maxIndex bounds the values that are written down, and with them the memory: a text of many
// small values would take a multiple of its own.
const maxIndex = 4096

// maxIndexed is the length of texts whose places fit a Value.
const maxIndexed = 1 << 30

// Document is a text that passed [Check], with the places of its values, so that nobody has to
// look for them again. It does not own the text. Its zero value is ready for Read, which
// reuses the memory of the text before; it is for one goroutine.
type Document struct {
	data    []byte
	limits  Limits
	index   index
	frames  []frame
	names   []name
	escaped []byte
}

// Read is Check, and keeps what it saw. After an error the Document is empty.
func (d *Document) Read(data []byte, l Limits) error {
	d.Reset()
	l = l.resolve()
	if len(data) > l.Bytes {
		return tooLarge(l)
	}
	d.index.full = len(data) > maxIndexed
	s := scanner{data: data, limits: l, frames: d.frames[:0], names: d.names[:0], escaped: d.escaped[:0], index: &d.index}
	p := s.whole()
	d.frames, d.names, d.escaped = s.frames, s.names, s.escaped
	if p != nil {
		d.Reset()
		return p
	}
	d.data, d.limits = data, l
	return nil
}

// Reset forgets the text, and keeps memory for the next one, unless it is that of a huge one.
func (d *Document) Reset() {
	d.data, d.limits = nil, Limits{}
	d.index.values, d.index.full = d.index.values[:0], false
	if cap(d.names)+cap(d.frames)+cap(d.escaped) > maxIndex {
		d.names, d.frames, d.escaped = nil, nil, nil
	}
}

// Text returns the text, nil if there is none.
func (d *Document) Text() []byte { return d.data }

// Values returns the values in the order of the text, the whole first; none if they are too
// many to be kept, or there is no text.
func (d *Document) Values() []Value {
	if d.index.full {
		return nil
	}
	return d.index.values
}

// Within reports whether the text has passed Check with l as well, as far as is known.
func (d *Document) Within(l Limits) bool {
	l = l.resolve()
	return d.data != nil && d.limits.Bytes <= l.Bytes && d.limits.Depth <= l.Depth &&
		d.limits.Digits <= l.Digits && d.limits.Exponent <= l.Exponent
}

// Member returns the place of the member of an Object by its name, or 0. Of a name that is
// written with escapes nothing is known: known is false if that may be the one.
func (d *Document) Member(of int32, name string) (at int32, known bool) {
	known = true
	v := &d.index.values[of]
	at = of + 1
	for range v.Count {
		m := &d.index.values[at]
		if m.NameEscaped {
			known = false
		} else if string(d.data[m.NameFrom:m.NameTo]) == name {
			return at, true
		}
		at = m.Next
	}
	return 0, known
}

// index gathers values. A nil index gathers nothing.
type index struct {
	values []Value
	full   bool // there were more than are kept
}

// add notes a value.
func (x *index) add(s *scanner, kind Kind, from, to int, escaped bool) {
	v := x.begin(s, kind, from)
	v.Escaped, v.To, v.Next = escaped, int32(to), int32(len(x.values))
}

// begin notes that a value begins.
func (x *index) begin(s *scanner, kind Kind, begin int) *Value {
	if len(x.values) >= maxIndex {
		x.full, x.values = true, x.values[:0]
	}
	v := another(&x.values)
	v.Kind, v.Escaped, v.NameEscaped = kind, false, false
	v.From, v.NameFrom, v.NameTo, v.Count = int32(begin), 0, 0, 0
	if n := len(s.frames); n > 0 {
		top := &s.frames[n-1]
		if !x.full {
			x.values[top.node].Count++
		}
		if top.object {
			name := &s.names[len(s.names)-1]
			v.NameFrom, v.NameTo, v.NameEscaped = int32(name.offset+1), int32(name.end), name.escaped
		}
	}
	return v
}

func (x *index) open(s *scanner, at int, object bool) (node int) {
	if x == nil {
		return 0
	}
	kind := Array
	if object {
		kind = Object
	}
	x.begin(s, kind, at)
	return len(x.values) - 1
}

// close notes where an array or object ends.
func (x *index) close(at, end int) {
	if x == nil || x.full {
		return
	}
	v := &x.values[at]
	v.To, v.Next = int32(end), int32(len(x.values))
}
