package hub

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/storage"
)

// systemTemplates are the templates of the host application: id → versions, lowest first.
type systemTemplates struct {
	versions map[string][]Template
	ordered  []Template // the latest of each, by name
}

// newSystemTemplates checks what the host application brings.
func newSystemTemplates(list []Template, limits *Limits) (systemTemplates, error) {
	s := systemTemplates{versions: map[string][]Template{}}
	for i, tpl := range list {
		tpl = cloned(tpl)
		tpl.normalize()
		tpl.System, tpl.Version = true, max(tpl.Version, 1)
		var p problems
		if tpl.ID == "" {
			p.add("id", "required", "must be given for a system template")
		}
		tpl.check(&p, limits)
		tpl.IconType = p.checkIcon("icon", tpl.Icon)
		if err := p.err(); err != nil {
			return s, subject(err, fmt.Sprintf("New: Options.SystemTemplates[%d]", i), "", "")
		}
		if _, err := s.version(tpl.ID, tpl.Version); err == nil {
			return s, fmt.Errorf("hub: New: Options.SystemTemplates[%d]: version %d of %q is listed twice", i, tpl.Version, tpl.ID)
		}
		s.versions[tpl.ID] = append(s.versions[tpl.ID], tpl)
	}
	for id, versions := range s.versions {
		slices.SortFunc(versions, func(a, b Template) int { return a.Version - b.Version })
		latest, _ := s.latest(id)
		if s.hasName(latest.Name) {
			return s, fmt.Errorf("hub: New: Options.SystemTemplates: two are named %q", latest.Name)
		}
		s.ordered = append(s.ordered, latest)
	}
	slices.SortFunc(s.ordered, func(a, b Template) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	return s, nil
}

func (s *systemTemplates) has(id string) bool { return len(s.versions[id]) > 0 }

func (s *systemTemplates) hasName(name string) bool {
	return slices.ContainsFunc(s.ordered, func(t Template) bool { return t.Name == name })
}

// latest returns the highest version, without its icon.
func (s *systemTemplates) latest(id string) (Template, bool) {
	versions := s.versions[id]
	if len(versions) == 0 {
		return Template{}, false
	}
	tpl := versions[len(versions)-1]
	tpl.Icon = nil
	return cloned(tpl), true
}

// version returns one version without its icon; version 0 is the latest.
func (s *systemTemplates) version(id string, version int) (Template, error) {
	if latest, ok := s.latest(id); ok && version == 0 {
		return latest, nil
	}
	for _, tpl := range s.versions[id] {
		if tpl.Version == version {
			tpl.Icon = nil
			return cloned(tpl), nil
		}
	}
	return Template{}, failure(NotFound, fmt.Sprintf("the host application has no version %d of system template %s", version, quote(id)))
}

func (s *systemTemplates) icon(id string, version int) (Icon, bool) {
	if latest, ok := s.latest(id); ok && version == 0 {
		version = latest.Version
	}
	for _, tpl := range s.versions[id] {
		if tpl.Version == version && tpl.IconType != "" {
			return Icon{Type: tpl.IconType, Data: slices.Clone(tpl.Icon)}, true
		}
	}
	return Icon{}, false
}

// The cursors of a list of templates tell which of its two parts they point into.
const (
	systemCursor = "s"
	ownCursor    = "t"
)

// page returns the system templates of a page, the options for the tenant's own templates
// that fill the rest of it, and whether there is such a rest.
func (s *systemTemplates) page(opts ListOptions) (page Page[Template], rest ListOptions, own bool, err error) {
	page.Items = []Template{}
	rest = opts
	if err := opts.check(); err != nil {
		return page, rest, false, err
	}
	if cursor, ok := strings.CutPrefix(opts.Cursor, ownCursor); ok {
		rest.Cursor = cursor
		return page, rest, true, nil
	}
	matching := s.matching(opts.Prefix)
	from, err := position(opts.Cursor, len(matching))
	if err != nil {
		return page, rest, false, err
	}
	room := min(opts.Limit, storage.MaxPage)
	if room == 0 {
		room = storage.DefaultPage
	}
	to := min(from+room, len(matching))
	page.Items = append(page.Items, matching[from:to]...)
	if to-from == room {
		page.Next = systemCursor + strconv.Itoa(to)
		return page, rest, false, nil
	}
	rest.Cursor, rest.Limit = "", room-(to-from)
	return page, rest, true, nil
}

// position reads a cursor into a list of n system templates.
func position(cursor string, n int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(cursor, systemCursor)
	at, err := strconv.Atoi(digits)
	if !ok || err != nil || at < 0 || at > n {
		return 0, errCursor()
	}
	return at, nil
}

func (s *systemTemplates) matching(prefix string) []Template {
	var found []Template
	for _, tpl := range s.ordered {
		if strings.HasPrefix(fold(tpl.Name), fold(prefix)) {
			found = append(found, cloned(tpl))
		}
	}
	return found
}
