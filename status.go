package hub

import (
	"errors"
	"strconv"
	"strings"
)

// statusSet is a set of HTTP statuses.
type statusSet []statusRange

type statusRange struct{ low, high int }

// success2xx is what counts as success if the definition does not say.
var success2xx = statusSet{{200, 299}}

func (s statusSet) has(status int) bool {
	for _, r := range s {
		if r.low <= status && status <= r.high {
			return true
		}
	}
	return false
}

// each returns the members of the set.
func (s statusSet) each() []int {
	list := []int{}
	for status := 100; status <= 599; status++ {
		if s.has(status) {
			list = append(list, status)
		}
	}
	return list
}

// statuses reads a list of statuses (404), ranges (200-299) and classes (2xx).
func (p *problems) statuses(path string, list []string) statusSet {
	var set statusSet
	p.count(path, len(list), 50)
	for i, text := range list {
		r, err := parseStatus(text)
		if err != nil {
			p.add(at(path, i), "status", "%v", err)
			continue
		}
		set = append(set, r)
	}
	return set
}

// success reads which answers of the request at a path count as success.
func (p *problems) success(path string, s *Success) statusSet {
	if s == nil {
		return success2xx
	}
	if len(s.Statuses) == 0 {
		p.add(in(path, "success.statuses"), "required", "must list at least one status")
	}
	return p.statuses(in(path, "success.statuses"), s.Statuses)
}

func parseStatus(text string) (statusRange, error) {
	if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 && "1" <= class && class <= "5" {
		n := int(class[0]-'0') * 100
		return statusRange{n, n + 99}, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	if len(first) != 3 || len(last) != 3 { // Atoi also takes +404 and 00404
		return statusRange{}, errStatus
	}
	low, err1 := strconv.Atoi(first)
	high, err2 := strconv.Atoi(last)
	if err1 != nil || err2 != nil || low < 100 || high > 599 || low > high {
		return statusRange{}, errStatus
	}
	return statusRange{low, high}, nil
}

var errStatus = errors.New("must be a status (404), a range (200-299) or a class (2xx) from 100 to 599")
