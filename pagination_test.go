package hub_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestPaginationIsCheckedWhenItIsSaved(t *testing.T) {
	h := open(t).Tenant("acme")
	srv := hubtest.NewServer(t)
	tpl := template(t, h)
	five := 5
	low := -1
	for name, tt := range map[string]struct {
		p    hub.Pagination
		want string // the path and the rule; empty: fine
	}{
		"cursor":                     {hub.Pagination{Kind: hub.PageCursor, Next: "a", Param: "c"}, ""},
		"page from 5":                {hub.Pagination{Kind: hub.PageNumber, Items: "a", Param: "c", Start: &five}, ""},
		"link":                       {hub.Pagination{Kind: hub.PageLink}, ""},
		"next-url":                   {hub.Pagination{Kind: hub.PageURL, Next: "a", More: "b"}, ""},
		"no kind":                    {hub.Pagination{}, "kind enum"},
		"another kind":               {hub.Pagination{Kind: "token"}, "kind enum"},
		"cursor without next":        {hub.Pagination{Kind: hub.PageCursor, Param: "c"}, "next required"},
		"next-url without next":      {hub.Pagination{Kind: hub.PageURL}, "next required"},
		"offset with next":           {hub.Pagination{Kind: hub.PageOffset, Items: "a", Next: "b", Param: "c"}, "next kind"},
		"link with next":             {hub.Pagination{Kind: hub.PageLink, Next: "b"}, "next kind"},
		"link with more":             {hub.Pagination{Kind: hub.PageLink, More: "b"}, "more kind"},
		"link with a parameter":      {hub.Pagination{Kind: hub.PageLink, Param: "b"}, " kind"},
		"offset without items":       {hub.Pagination{Kind: hub.PageOffset, Param: "c"}, "items required"},
		"page without a parameter":   {hub.Pagination{Kind: hub.PageNumber, Items: "a"}, " required"},
		"parameter and member":       {hub.Pagination{Kind: hub.PageNumber, Items: "a", Param: "b", Member: "c"}, " required"},
		"a member without a payload": {hub.Pagination{Kind: hub.PageNumber, Items: "a", Member: "c"}, "member payload-mode"},
		"a member that is no name":   {hub.Pagination{Kind: hub.PageNumber, Items: "a", Member: "c d"}, "member pattern"},
		"a path that is none":        {hub.Pagination{Kind: hub.PageNumber, Items: "a.@pretty", Param: "c"}, "items path"},
		"cursor from 5":              {hub.Pagination{Kind: hub.PageCursor, Next: "a", Param: "c", Start: &five}, "start kind"},
		"page from -1":               {hub.Pagination{Kind: hub.PageNumber, Items: "a", Param: "c", Start: &low}, "start range"},
	} {
		t.Run(name, func(t *testing.T) {
			con := hub.Connector{Template: tpl.ID, Name: name, Hosts: []string{srv.Host()}}
			paged("go", "GET", srv.URL, tt.p)(&con)
			_, err := h.CreateConnector(t.Context(), con)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			var got []string
			for _, f := range failed(t, err, hub.Invalid).Fields {
				got = append(got, strings.TrimPrefix(strings.TrimPrefix(f.Path, "requests[0].pagination"), ".")+" "+f.Rule)
			}
			assert.Contains(t, got, tt.want)
		})
	}
}
