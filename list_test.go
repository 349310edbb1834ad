package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// shelf saves connectors of two templates, some of them tagged.
func shelf(t *testing.T, h *hub.Tenant) {
	t.Helper()
	for _, id := range []string{"one", "two"} {
		tpl := template(t, h, func(tpl *hub.Template) { tpl.ID, tpl.Name = id, id })
		for _, name := range []string{"alpha", "Beta", "ALPINE", "Ünder"} {
			con := hub.Connector{Name: name + " " + id, Template: tpl.ID}
			if id == "one" {
				con.Tags = []string{"eu", strings.ToLower(name)}
			}
			_, err := h.CreateConnector(t.Context(), con)
			require.NoError(t, err)
		}
	}
}

func TestListConnectorsBy(t *testing.T) {
	h := open(t).Tenant("")
	shelf(t, h)
	for name, c := range map[string]struct {
		opts hub.ListOptions
		want []string
	}{
		"nothing":        {hub.ListOptions{}, []string{"alpha one", "alpha two", "ALPINE one", "ALPINE two", "Beta one", "Beta two", "Ünder one", "Ünder two"}},
		"prefix":         {hub.ListOptions{Prefix: "aLp"}, []string{"alpha one", "alpha two", "ALPINE one", "ALPINE two"}},
		"prefix beyond":  {hub.ListOptions{Prefix: "üND"}, []string{"Ünder one", "Ünder two"}},
		"not the middle": {hub.ListOptions{Prefix: "one"}, []string{}},
		"tag":            {hub.ListOptions{Tag: "eu", Prefix: "b"}, []string{"Beta one"}},
		"tag by case":    {hub.ListOptions{Tag: "EU"}, []string{}},
		"template":       {hub.ListOptions{Template: "two", Prefix: "alpi"}, []string{"ALPINE two"}},
		"both":           {hub.ListOptions{Template: "two", Tag: "eu"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{0, 1, 3, 5000} {
				c.opts.Limit = limit
				got := []string{}
				for con, err := range h.Connectors(t.Context(), c.opts) {
					require.NoError(t, err)
					got = append(got, con.Name)
				}
				assert.Equal(t, c.want, got, "pages of %d", limit)
			}
		})
	}
	page, err := h.ListConnectors(t.Context(), hub.ListOptions{Limit: 3})
	require.NoError(t, err)
	assert.Len(t, page.Items, 3)
	assert.NotEmpty(t, page.Next)
	for range h.Connectors(t.Context(), hub.ListOptions{Limit: 1}) {
		break // an iterator can be left early
	}
}

func TestListOptionsThatCannotBe(t *testing.T) {
	h := open(t, func(o *hub.Options) {
		o.SystemTemplates = []hub.Template{{ID: "sys", Name: "Sys", Methods: []string{"GET"}}}
	}).Tenant("")
	shelf(t, h)
	page, err := h.ListConnectors(t.Context(), hub.ListOptions{Limit: 1})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		opts hub.ListOptions
		rule string
	}{
		"negative limit": {hub.ListOptions{Limit: -1}, "limit range"},
		"NUL in prefix":  {hub.ListOptions{Prefix: "a\x00"}, "prefix control-character"},
		"long tag":       {hub.ListOptions{Tag: strings.Repeat("t", 300)}, "tag too-long"},
		"made-up cursor": {hub.ListOptions{Cursor: "x"}, "cursor cursor"},
		"other list":     {hub.ListOptions{Cursor: page.Next, Prefix: "b"}, "cursor cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.ListConnectors(t.Context(), c.opts)
			assert.Equal(t, []string{c.rule}, rules(t, err))
			_, err = h.ListTemplates(t.Context(), c.opts)
			assert.Equal(t, []string{c.rule}, rules(t, err))
			n := 0
			for _, err := range h.Templates(t.Context(), c.opts) {
				assert.ErrorIs(t, err, hub.Invalid)
				n++
			}
			assert.Equal(t, 1, n, "an iterator ends at its first error")
		})
	}
	for _, cursor := range []string{"s", "s-1", "s99", "t", "s1x"} {
		_, err = h.ListTemplates(t.Context(), hub.ListOptions{Cursor: cursor})
		if cursor == "t" {
			continue // the beginning of the tenant's own part
		}
		assert.Equal(t, []string{"cursor cursor"}, rules(t, err), cursor)
	}
}

func TestPagesWithoutNames(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h)
	for i := range 250 {
		_, err := h.CreateConnector(t.Context(), hub.Connector{Name: fmt.Sprintf("c%03d", i), Template: tpl.ID})
		require.NoError(t, err)
	}
	page, err := h.ListConnectors(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, page.Items, 100, "the default")
	seen := 0
	for con, err := range h.Connectors(t.Context(), hub.ListOptions{}) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("c%03d", seen), con.Name)
		seen++
	}
	assert.Equal(t, 250, seen)
}
