package schema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// meter adds up what one validation will cost at most. It goes the validator's way through
// payload and schema, but visits an entry once where the validator visits its subschemas many times,
// and it gives up as soon as the sum is too large.
type meter struct {
	left float64 // steps that may still be spent
}

// affordable reports whether the validator can judge v within work steps.
func (e *entry) affordable(v any, work int) bool {
	m := &meter{left: float64(work)}
	m.visit(e, 1, v, 0, 0)
	return m.left >= 0
}

// visit spends what e costs on v, times over. Path and location are the lengths of the pointers that the
// validator builds: of v in the payload, and of e in the schema.
func (m *meter) visit(e *entry, times float64, v any, path, location float64) {
	location += e.cost.location
	m.left -= times * (e.cost.fixed + e.cost.visits*(1+(path+location)/(2*textStep)))
	if m.left < 0 {
		return
	}
	switch v := v.(type) {
	case string:
		m.left -= times * e.cost.textByte * float64(len(v))
	case json.Number:
		m.left -= times * e.cost.number * numberCost(string(v))
	case []any:
		m.array(e, times, v, path, location)
	case map[string]any:
		m.object(e, times, v, path, location)
	}
}

func (m *meter) array(e *entry, times float64, elements []any, path, location float64) {
	m.left -= times * e.cost.visits * float64(len(elements)) / 2
	if e.cost.unique > 0 && m.left >= 0 {
		pairs := float64(len(elements)) * float64(sizeOf(elements)) / 2
		m.left -= times * e.cost.unique * pairs
	}
	for i, element := range elements {
		steps := e.rest
		if i < len(e.elements) {
			steps = e.elements[i]
		}
		m.follow(steps, times, element, path+float64(len(strconv.Itoa(i)))+1, location)
	}
}

func (m *meter) object(e *entry, times float64, members map[string]any, path, location float64) {
	m.left -= times * e.cost.visits * float64(len(members))
	for name, member := range members {
		m.left -= times * e.cost.nameByte * float64(len(name))
		steps, ok := e.members[name]
		if !ok {
			steps = e.others
		}
		// In a pointer a byte may take three.
		below := path + 3*float64(len(name)) + 1
		m.follow(steps, times, member, below, location)
		m.follow(e.nameOnly, times, name, below, location)
	}
}

func (m *meter) follow(steps []step, times float64, v any, path, location float64) {
	for _, step := range steps {
		if m.left < 0 {
			return
		}
		m.visit(step.to, times*step.times, v, path, location)
	}
}

// numberCost is what it takes to read a number as a fraction: its digits, and those that its exponent stands for.
func numberCost(text string) float64 {
	cost := 3 + float64(len(text))/8
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, _ := strconv.Atoi(text[i+1:])
		cost += float64(max(exponent, -exponent)) / 8
	}
	return cost
}

// sizeOf counts the values in v.
func sizeOf(v any) (size int) {
	size = 1
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			size += sizeOf(element)
		}
	case map[string]any:
		for _, member := range v {
			size += sizeOf(member)
		}
	}
	return size
}
