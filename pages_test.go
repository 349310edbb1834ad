package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// list is an API with n items, in pages of size, in every way of naming them.
type list struct{ n, size int }

func (l list) from(start int) []int {
	items := []int{}
	for i := start; i < min(start+l.size, l.n); i++ {
		items = append(items, i)
	}
	return items
}

func (l list) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	number := func(name string) int { n, _ := strconv.Atoi(q.Get(name)); return n }
	answer := map[string]any{}
	start := 0
	switch r.URL.Path {
	case "/cursor", "/body":
		after := q.Get("after")
		if r.Method == http.MethodPost {
			var sent struct{ After string }
			data, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(data, &sent)
			after = sent.After
		}
		start, _ = strconv.Atoi(strings.TrimPrefix(after, "c/"))
		if start+l.size < l.n {
			answer["next"] = fmt.Sprintf("c/%d", start+l.size)
		}
	case "/offset":
		start = number("offset")
	case "/page":
		start = (number("page") - 1) * l.size
		answer["more"] = start+l.size < l.n
	case "/link":
		start = number("start")
		if start+l.size < l.n {
			w.Header().Add("Link", `</link>; rel="first"`)
			w.Header().Add("Link", fmt.Sprintf(`<?start=%d>; rel="last next"`, start+l.size))
		}
	case "/url":
		start = number("start")
		answer["next"] = nil
		if start+l.size < l.n {
			answer["next"] = fmt.Sprintf("https://%s/url?start=%d#there", r.Host, start+l.size)
		}
	}
	answer["items"] = l.from(start)
	hubtest.JSON(200, answer).ServeHTTP(w, r)
}

// paged gives a connector a request named by its kind of pages.
func paged(name, method, url string, p hub.Pagination, change ...func(*hub.Request)) func(*hub.Connector) {
	return withRequest(hub.Request{Name: name, Method: method, URL: url, Pagination: &p}, change...)
}

// everyKind makes requests for each kind of pages of list.
func everyKind(url string) func(*hub.Connector) {
	return func(c *hub.Connector) {
		for _, f := range []func(*hub.Connector){
			paged("cursor", "GET", url+"/cursor?limit=3", hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", Param: "after"}),
			paged("body", "POST", url+"/body", hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", Member: "after"}, func(r *hub.Request) {
				r.Trigger, r.PayloadMode, r.Body = hub.TriggerStudio, hub.PayloadMapped, `{"after":"{{after ?? \"\"}}","q":"{{q}}"}`
			}),
			paged("offset", "GET", url+"/offset", hub.Pagination{Kind: hub.PageOffset, Items: "items", Param: "offset"}),
			paged("page", "GET", url+"/page?page=7", hub.Pagination{Kind: hub.PageNumber, Items: "items", Param: "page"}),
			paged("page-more", "GET", url+"/page", hub.Pagination{Kind: hub.PageNumber, Items: "items", Param: "page", More: "more"}),
			paged("link", "GET", url+"/link", hub.Pagination{Kind: hub.PageLink, Items: "items"}),
			paged("url", "GET", url+"/url", hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}),
		} {
			f(c)
		}
	}
}

func TestEveryKindOfPagesIsFollowed(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", list{n: 8, size: 3})
	var events []hub.Event
	h := open(t, func(o *hub.Options) { o.Observer = func(_ context.Context, e hub.Event) { events = append(events, e) } }).Tenant("acme")
	con := connector(t, h, srv, everyKind(srv.URL))
	for _, r := range con.Requests {
		t.Run(r.Name, func(t *testing.T) {
			call := hub.Call{Connector: "con", Request: r.Name}
			if r.Trigger == hub.TriggerStudio {
				call.Payload = json.RawMessage(`{"q":"x"}`)
			}
			events = nil
			var items []string
			for item, err := range h.ExecuteItems(t.Context(), call, nil) {
				require.NoError(t, err)
				items = append(items, string(item))
			}
			assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, items)

			pages := 0
			for page, err := range h.ExecutePages(t.Context(), call, nil) {
				require.NoError(t, err)
				assert.Equal(t, hub.OnSuccess, page.Branch)
				assert.True(t, page.Get("items").IsArray())
				pages++
			}
			want := 3
			if r.Name == "offset" || r.Name == "page" {
				want = 4 // that nothing follows shows the empty page alone
			}
			assert.Equal(t, want, pages)
			calls := 0
			for _, e := range events {
				if e.Op == "ExecutePages" || e.Op == "ExecuteItems" {
					calls++
				}
			}
			assert.Equal(t, 2*want, calls)
		})
	}
}

func TestAWalkEndsWhereItIsAskedTo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", list{n: 100, size: 10})
	h := open(t, func(o *hub.Options) { o.Limits.Pages, o.Limits.Items = 5, 30 }).Tenant("acme")
	connector(t, h, srv, everyKind(srv.URL))
	call := hub.Call{Connector: "con", Request: "cursor"}
	for name, tt := range map[string]struct {
		opts  *hub.PageOptions
		leave int // the loop leaves after so many items
		items int
		calls int
		cut   bool
	}{
		"pages":           {&hub.PageOptions{MaxPages: 2}, 0, 20, 2, false},
		"items":           {&hub.PageOptions{MaxItems: 15}, 0, 15, 2, false},
		"items of a page": {&hub.PageOptions{MaxItems: 10}, 0, 10, 1, false},
		"the loop leaves": {nil, 12, 12, 2, false},
		"the first item":  {nil, 1, 1, 1, false},
		"the host's":      {nil, 0, 30, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(srv.Requests())
			items, err := 0, error(nil)
			for _, e := range h.ExecuteItems(t.Context(), call, tt.opts) {
				if err = e; err == nil {
					items++
				}
				if items == tt.leave {
					break
				}
			}
			assert.Equal(t, tt.items, items)
			assert.Equal(t, tt.calls, len(srv.Requests())-before)
			if tt.cut {
				e := failed(t, err, hub.BadAnswer)
				assert.Contains(t, e.Error(), "Limits.Items")
				assert.Equal(t, "ExecuteItems", e.Op)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestTheHostBoundsPagesAndTheCallerHearsOfIt(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", list{n: 100, size: 10})
	h := open(t, func(o *hub.Options) { o.Limits.Pages = 4 }).Tenant("acme")
	connector(t, h, srv, everyKind(srv.URL))
	pages, errs := walk(t, h, "link")
	assert.Len(t, pages, 4)
	assert.Contains(t, failed(t, errs, hub.BadAnswer).Error(), "Limits.Pages")
	assert.Len(t, srv.Requests(), 4)
}

// walk follows the pages of a request and returns their bodies, and the error that ended it.
func walk(t testing.TB, h *hub.Tenant, request string) (pages []string, failed error) {
	t.Helper()
	ended := false
	for page, err := range h.ExecutePages(t.Context(), hub.Call{Connector: "con", Request: request}, nil) {
		require.False(t, ended, "nothing comes after an error")
		if err != nil {
			ended, failed = true, err
			continue
		}
		pages = append(pages, string(page.Body))
	}
	return pages, failed
}

// answersBy answers by what the query says.
func answersBy(answer func(q string) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := answer(r.URL.RawQuery).(http.Handler); ok {
			h.ServeHTTP(w, r)
		}
	})
}

// What keeps other products going for ever, or lets them take an error for the end.
func TestPagesThatAreNoneEndTheWalkWithAnError(t *testing.T) {
	page := func(body string) http.Handler { return hubtest.JSON(200, json.RawMessage(body)) }
	cursor := hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", Param: "c"}
	number := hub.Pagination{Kind: hub.PageNumber, Items: "items", Param: "c"}
	url := hub.Pagination{Kind: hub.PageURL, Items: "items", Next: "next"}
	for name, tt := range map[string]struct {
		kind   hub.Pagination
		answer func(q string) any
		pages  int
		code   hub.Code // empty: the walk ends well
		text   string
	}{
		"an error page": {cursor, func(q string) any {
			if q == "" {
				return page(`{"items":[1],"next":"a"}`)
			}
			return hubtest.JSON(500, map[string]any{"items": []int{2}})
		}, 1, hub.Rejected, "status 500"},
		"an error page with status 200": {cursor, func(q string) any {
			if q == "" {
				return page(`{"items":[1],"next":"a"}`)
			}
			return page(`{"error":"quota exceeded"}`)
		}, 1, hub.BadAnswer, "pagination.items"},
		"a list that is none":    {cursor, func(string) any { return page(`{"items":{"0":1},"next":"a"}`) }, 0, hub.BadAnswer, "pagination.items"},
		"a page that is no JSON": {cursor, func(string) any { return hubtest.Text(200, "<html>") }, 0, hub.BadAnswer, "pagination.items"},
		"a cursor that stays":    {cursor, func(q string) any { return page(`{"items":["` + q + `"],"next":"a"}`) }, 2, hub.BadAnswer, "has led to an earlier"},
		"cursors that come back": {cursor, func(q string) any {
			return page(`{"items":["` + q + `"],"next":"` + map[string]string{"": "a", "c=a": "b", "c=b": "a"}[q] + `"}`)
		}, 3, hub.BadAnswer, "has led to an earlier"},
		"a cursor that is an object":  {cursor, func(string) any { return page(`{"items":[1],"next":{}}`) }, 1, hub.BadAnswer, "neither a text nor a number"},
		"a cursor without end":        {cursor, func(string) any { return page(`{"items":[1],"next":"` + strings.Repeat("x", 5000) + `"}`) }, 1, hub.BadAnswer, "longer"},
		"a parameter that is ignored": {number, func(string) any { return page(`{"items":[1,2,3]}`) }, 1, hub.BadAnswer, "same as an earlier one"},
		"a URL that stays":            {url, func(q string) any { return page(`{"items":["` + q + `"],"next":"/"}`) }, 1, hub.BadAnswer, "has led to an earlier"},
		"URLs that come back": {url, func(q string) any {
			return page(`{"items":["` + q + `"],"next":"/?` + map[string]string{"": "a", "a": "b", "b": "a"}[q] + `"}`)
		}, 3, hub.BadAnswer, "has led to an earlier"},
		"a URL back to the first page": {url, func(q string) any {
			return page(`{"items":["` + q + `"],"next":"/?` + map[string]string{"": "a"}[q] + `"}`)
		}, 2, hub.BadAnswer, "round in circles"},
		"a URL that is none":     {url, func(string) any { return page(`{"items":[1],"next":"http://[::1"}`) }, 1, hub.BadAnswer, "cannot be read"},
		"a URL with a backslash": {url, func(string) any { return page(`{"items":[1],"next":"/\\evil.test"}`) }, 1, hub.BadAnswer, "cannot be read"},
		"a URL without end":      {url, func(string) any { return page(`{"items":[1],"next":"/?` + strings.Repeat("x", 9000) + `"}`) }, 1, hub.BadAnswer, "longer"},
		"more, and no way there": {hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", More: "more", Param: "c"}, func(string) any { return page(`{"items":[1],"more":true}`) }, 1, hub.BadAnswer, "not how to get there"},
		"more, and an offset that stays": {hub.Pagination{Kind: hub.PageOffset, Items: "items", More: "more", Param: "c"}, func(q string) any {
			return page(map[string]string{"c=0": `{"items":[1],"more":true}`, "c=1": `{"items":[],"more":true}`}[q])
		}, 2, hub.BadAnswer, "not how to get there"},
		"a URL that stays but for its fragment": {url, func(q string) any { return page(`{"items":["` + q + `"],"next":"/#2"}`) }, 1, hub.BadAnswer, "has led to an earlier"},

		"an empty page":         {number, func(string) any { return page(`{"items":[]}`) }, 1, "", ""},
		"a list that is null":   {number, func(string) any { return page(`{"items":null}`) }, 1, "", ""},
		"an empty cursor":       {cursor, func(string) any { return page(`{"items":[1],"next":""}`) }, 1, "", ""},
		"no cursor":             {cursor, func(string) any { return page(`{"items":[1]}`) }, 1, "", ""},
		"a cursor that says no": {cursor, func(string) any { return page(`{"items":[1],"next":false}`) }, 1, "", ""},
		"an empty page in the middle": {cursor, func(q string) any {
			return page(`{"items":[],"next":"` + map[string]string{"": "a", "c=a": "b"}[q] + `"}`)
		}, 3, "", ""},
		"an empty page, and more behind it": {hub.Pagination{Kind: hub.PageNumber, Items: "items", More: "more", Param: "c"}, func(q string) any {
			return page(map[string]string{"c=1": `{"items":[1],"more":true}`, "c=2": `{"items":[],"more":true}`, "c=3": `{"items":[2],"more":false}`}[q])
		}, 3, "", ""},
		"no more, although a cursor": {hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", More: "more", Param: "c"}, func(string) any { return page(`{"items":[1],"next":"a","more":false}`) }, 1, "", ""},
		"a number for a cursor": {cursor, func(q string) any {
			return page(`{"items":["` + q + `"],"next":` + map[string]string{"": "12345678901234567890", "c=12345678901234567890": "0", "c=0": "null"}[q] + `}`)
		}, 3, "", ""},
		"the third party is busy first": {cursor, func(string) any { return busyOnce(page(`{"items":[1]}`)) }, 1, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			shared := tt.answer("")
			srv.Handle("/", answersBy(func(q string) any {
				if _, ok := shared.(*busy); ok {
					return shared
				}
				return tt.answer(q)
			}))
			h := open(t).Tenant("acme")
			connector(t, h, srv, paged("go", "GET", srv.URL, tt.kind))
			pages, err := walk(t, h, "go")
			assert.Len(t, pages, tt.pages)
			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			assert.Contains(t, failed(t, err, tt.code).Error(), tt.text)
			assert.LessOrEqual(t, len(srv.Requests()), tt.pages+3)
		})
	}
}

type busy struct{ http.Handler }

func busyOnce(then http.Handler) http.Handler {
	return &busy{hubtest.Sequence(hubtest.Status(503), then)}
}

// What a payload describes is followed too.
func TestADynamicRequestHasPages(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", list{n: 8, size: 3})
	h := open(t).Tenant("acme")
	connector(t, h, srv, dynamic(func(r *hub.Request) {
		r.Pagination = &hub.Pagination{Kind: hub.PageCursor, Items: "items", Next: "next", Param: "after"}
	}))
	n := 0
	call := hub.Call{Connector: "con", Request: "any", Payload: json.RawMessage(`{"url":"` + srv.URL + `/cursor","method":"GET","queryParameters":{"q":"x&y"}}`)}
	for _, err := range h.ExecuteItems(t.Context(), call, nil) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 8, n)
	assert.Equal(t, "x&y", srv.Requests()[2].URL.Query().Get("q"))
}

func TestARequestWithoutPagesHasNone(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), paged("items", "GET", srv.URL, hub.Pagination{Kind: hub.PageLink}))
	for request, want := range map[string]string{"go": "pagination", "items": "pagination.items"} {
		n := 0
		for _, err := range h.ExecuteItems(t.Context(), hub.Call{Connector: "con", Request: request}, nil) {
			assert.Contains(t, failed(t, err, hub.Invalid).Error(), want)
			n++
		}
		assert.Equal(t, 1, n)
	}
	assert.Empty(t, srv.Requests())
	for _, err := range h.ExecutePages(t.Context(), hub.Call{Connector: "nobody", Request: "go"}, nil) {
		assert.Equal(t, "ExecutePages", failed(t, err, hub.NotFound).Op)
	}
}

// However long a list is, one page of it is held at a time.
func TestALongListTakesNoMemory(t *testing.T) {
	const items, size = 10_000, 100
	filler := strings.Repeat("x", 1000)
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		var page []any
		for i := start; i < min(start+size, items); i++ {
			page = append(page, map[string]any{"id": i, "text": filler})
		}
		hubtest.JSON(200, page).ServeHTTP(w, r)
	}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, paged("go", "GET", srv.URL, hub.Pagination{Kind: hub.PageOffset, Items: "@this", Param: "offset"}))
	var before, now runtime.MemStats
	n, most := 0, uint64(0)
	for item, err := range h.ExecuteItems(t.Context(), hub.Call{Connector: "con", Request: "go"}, nil) {
		require.NoError(t, err)
		var v struct{ ID int }
		require.NoError(t, json.Unmarshal(item, &v))
		require.Equal(t, n, v.ID)
		if n++; n%1000 == 0 {
			runtime.GC()
			if runtime.ReadMemStats(&now); n == 1000 {
				before = now
			}
			most = max(most, now.HeapAlloc)
		}
	}
	assert.Equal(t, items, n)
	assert.Less(t, most, before.HeapAlloc+(4<<20), "10 MB of items went by")
}
