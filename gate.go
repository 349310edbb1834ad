package hub

import "time"

// admit gives t a place in the gate and in those above.
func (n *gate) admit(t *ticket, now time.Time) {
	t.since = now
	for ; n != nil; n = n.parent {
		n.inside++
	}
}

// free reports whether the gate and all above have a place.
func (n *gate) free() bool {
	for ; n != nil; n = n.parent {
		if n.inside >= n.places {
			return false
		}
	}
	return true
}

// eligible reports whether the gate has a place and somebody to give it to.
func (n *gate) eligible() bool {
	return n.inside < n.places && (len(n.queue) > 0 || n.ready.Len() > 0)
}

// counted notes that a call began or ended to wait in a connector's gate.
func (n *gate) counted(by int) {
	for child := n; child != nil; child = child.parent {
		child.waiting += by
		if child.parent != nil {
			child.parent.crowded(child)
		}
	}
	n.update()
}

// crowded notes whether calls wait in a gate below.
func (n *gate) crowded(child *gate) {
	if child.waiting == 0 {
		delete(n.crowd, child)
		return
	}
	if n.crowd == nil {
		n.crowd = map[*gate]struct{}{}
	}
	n.crowd[child] = struct{}{}
}

// update puts the gate, and those above, among those that are ready, or takes it out.
func (n *gate) update() {
	for ; n.parent != nil; n = n.parent {
		switch ready := n.eligible(); {
		case ready && n.turn == nil:
			n.turn = n.parent.ready.PushBack(n)
		case !ready && n.turn != nil:
			n.parent.ready.Remove(n.turn)
			n.turn = nil
		}
	}
}

// displace makes room in a full queue for a call of a gate below: the last call of the gate
// where most wait gives way, if that leaves it more than the newcomer's gate then has.
func (n *gate) displace(child *gate) bool {
	mine := 0
	if child != n {
		mine = child.waiting
	}
	longest := n.longest()
	if longest == nil || longest.waiting <= mine+1 {
		return false
	}
	for len(longest.queue) == 0 {
		longest = longest.longest()
	}
	last := len(longest.queue) - 1
	t := longest.queue[last]
	longest.queue[last] = nil
	longest.queue = longest.queue[:last]
	t.failed = crowded(tooMany)
	close(t.turn)
	longest.counted(-1)
	return true
}

// longest is the gate below where most calls wait; nil: nobody does.
func (n *gate) longest() *gate {
	var longest *gate
	for child := range n.crowd {
		if longest == nil || child.waiting > longest.waiting {
			longest = child
		}
	}
	return longest
}

// enoughStays is how many calls must have left before their stays say anything.
const enoughStays = 8

// note learns from how long a call stayed.
func (n *gate) note(stayed time.Duration) {
	if n.left < enoughStays {
		n.left++
	}
	n.stay += (stayed - n.stay) / time.Duration(n.left)
}

// delay is how long a newcomer would wait at least: as long as whole rounds of calls take
// that have their turn before it.
func (n *gate) delay() time.Duration {
	longest, queued := time.Duration(0), n.waiting
	for ; n != nil; n = n.parent {
		ahead := n.waiting
		if len(n.crowd) > 0 {
			ahead = min(ahead, queued*len(n.crowd))
		}
		if n.left >= enoughStays && n.places > 0 {
			longest = max(longest, time.Duration(ahead/n.places)*n.stay)
		}
	}
	return longest
}
