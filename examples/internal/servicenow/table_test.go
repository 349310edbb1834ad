package servicenow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/examples/internal/servicenow"
)

const caller = "46c6f9efa9fe198101ddf5eed9adf6e7"

func TestCreate(t *testing.T) {
	in := signIn(t, &servicenow.Options{Now: func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) }})
	resp, body := in.do("POST", "/api/now/table/incident",
		`{"short_description":"No dial tone","urgency":1,"impact":"2","caller_id":"`+caller+`","category":null,"number":"X","unknown":"X"}`)
	require.Equal(t, 201, resp.StatusCode)
	made := decode(t, body)["result"].(map[string]any)

	assert.Equal(t, in.URL()+"/api/now/table/incident/"+made["sys_id"].(string), resp.Header.Get("Location"))
	assert.Len(t, made["sys_id"], 32)
	assert.Equal(t, map[string]any{"link": in.URL() + "/api/now/table/sys_user/" + caller, "value": caller}, made["caller_id"])
	for field, want := range map[string]string{
		"number": "INC0010001", "state": "1", "incident_state": "1", "active": "true", "priority": "2",
		"short_description": "No dial tone", "urgency": "1", "impact": "2", "category": "", "description": "",
		"sys_created_on": "2026-05-01 12:00:00", "sys_updated_on": "2026-05-01 12:00:00",
		"sys_created_by": "hub.user", "sys_mod_count": "0", "sys_class_name": "incident", "assigned_to": "",
	} {
		assert.Equal(t, want, made[field], field)
	}
	assert.NotContains(t, made, "unknown")
}

func TestBadBodies(t *testing.T) {
	in := signIn(t, nil)
	id := in.create(`{}`)["sys_id"].(string)
	for _, body := range []string{``, `{`, `[]`, `"x"`, `null`, `{} {}`, `short_description=x`} {
		for method, target := range map[string]string{
			"POST": "/api/now/table/incident", "PATCH": "/api/now/table/incident/" + id,
		} {
			resp, text := in.do(method, target, body)
			assert.Equal(t, 400, resp.StatusCode, body)
			assert.JSONEq(t, `{"error":{"message":"Exception while reading request","detail":"The payload is not valid JSON."},"status":"failure"}`, text)
		}
	}
}

func TestUnknownRecordAndTable(t *testing.T) {
	in := signIn(t, nil)
	for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
		resp, body := in.do(method, "/api/now/table/incident/none", `{}`)
		assert.Equal(t, 404, resp.StatusCode, method)
		assert.JSONEq(t, noRecord, body)
	}
	resp, body := in.do("GET", "/api/now/table/nothing", "")
	assert.Equal(t, 400, resp.StatusCode)
	assert.JSONEq(t, `{"error":{"message":"Invalid table nothing","detail":null},"status":"failure"}`, body)
}

func TestReadShapes(t *testing.T) {
	in := signIn(t, nil)
	made := in.create(`{"short_description":"S","urgency":"2","caller_id":"` + caller + `"}`)
	link := in.URL() + "/api/now/table/sys_user/" + caller
	tests := []struct{ name, params, want string }{
		{"values", "", `{"urgency":"2","caller_id":{"link":"` + link + `","value":"` + caller + `"}}`},
		{"display values", "&sysparm_display_value=true", `{"urgency":"2 - Medium","caller_id":{"link":"` + link + `","display_value":"` + caller + `"}}`},
		{"both", "&sysparm_display_value=all", `{"urgency":{"value":"2","display_value":"2 - Medium"},"caller_id":{"link":"` + link + `","value":"` + caller + `","display_value":"` + caller + `"}}`},
		{"values without links", "&sysparm_exclude_reference_link=true", `{"urgency":"2","caller_id":"` + caller + `"}`},
		{"display values without links", "&sysparm_exclude_reference_link=true&sysparm_display_value=true", `{"urgency":"2 - Medium","caller_id":"` + caller + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := in.do("GET", "/api/now/table/incident/"+made["sys_id"].(string)+"?sysparm_fields=urgency,%20caller_id,unknown"+tt.params, "")
			require.Equal(t, 200, resp.StatusCode)
			assert.JSONEq(t, `{"result":`+tt.want+`}`, body)
		})
	}
	_, body := in.do("GET", "/api/now/table/incident/"+made["sys_id"].(string), "")
	assert.Equal(t, made, decode(t, body)["result"], "without parameters: as it was made")
}

func TestUpdate(t *testing.T) {
	for _, method := range []string{"PATCH", "PUT"} {
		t.Run(method, func(t *testing.T) {
			in := signIn(t, nil)
			target := "/api/now/table/incident/" + in.create(`{"short_description":"before","urgency":"1","impact":"1"}`)["sys_id"].(string)
			resp, body := in.do(method, target, `{"state":"7","impact":"x","close_notes":"done"}`)
			require.Equal(t, 200, resp.StatusCode)
			got := decode(t, body)["result"].(map[string]any)
			for field, want := range map[string]string{
				"state": "7", "active": "false", "close_notes": "done", "sys_mod_count": "1",
				"short_description": "before", "priority": "5",
			} {
				assert.Equal(t, want, got[field], field)
			}
			_, body = in.do("GET", target, "")
			assert.Equal(t, got, decode(t, body)["result"])
		})
	}
}

func TestDelete(t *testing.T) {
	in := signIn(t, nil)
	target := "/api/now/table/incident/" + in.create(`{}`)["sys_id"].(string)
	resp, body := in.do("DELETE", target, "")
	assert.Equal(t, 204, resp.StatusCode)
	assert.Empty(t, body)
	resp, _ = in.do("DELETE", target, "")
	assert.Equal(t, 404, resp.StatusCode)
	assert.Equal(t, "INC0010002", in.create(`{}`)["number"], "numbers are not used again")
}

func TestNoResponseBody(t *testing.T) {
	in := signIn(t, nil)
	resp, body := in.do("POST", "/api/now/table/incident", `{}`, "X-no-response-body", "true")
	assert.Equal(t, 201, resp.StatusCode)
	assert.Empty(t, body)
	assert.NotEmpty(t, resp.Header.Get("Location"))
}

// fill makes incidents 1 to 5 with alternating urgencies.
func fill(in *instance) {
	for i := 1; i <= 5; i++ {
		in.create(fmt.Sprintf(`{"short_description":"Call %d","urgency":"%d"}`, i, i%2+1))
	}
}

// listed returns the numbers of the incidents in an answer, without their common start.
func listed(t *testing.T, body string) string {
	t.Helper()
	var out []string
	for _, found := range decode(t, body)["result"].([]any) {
		out = append(out, strings.TrimPrefix(found.(map[string]any)["number"].(string), "INC001000"))
	}
	return strings.Join(out, " ")
}

func TestListPages(t *testing.T) {
	tests := []struct{ name, params, want, rels string }{
		{"all", "", "1 2 3 4 5", ""},
		{"first page", "sysparm_limit=2", "1 2", "first next last"},
		{"middle page", "sysparm_limit=2&sysparm_offset=2", "3 4", "first prev next last"},
		{"last page", "sysparm_limit=2&sysparm_offset=4", "5", "first prev last"},
		{"full last page", "sysparm_limit=1&sysparm_offset=4", "5", "first prev last"},
		{"beyond", "sysparm_limit=2&sysparm_offset=99", "", "first prev last"},
		{"exactly all", "sysparm_limit=5", "1 2 3 4 5", ""},
		{"strange numbers", "sysparm_limit=x&sysparm_offset=-1", "1 2 3 4 5", ""},
		{"huge numbers", "sysparm_limit=9223372036854775807&sysparm_offset=1", "2 3 4 5", ""},
		{"no link", "sysparm_limit=2&sysparm_suppress_pagination_header=true", "1 2", ""},
	}
	in := signIn(t, nil)
	fill(in)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := in.do("GET", "/api/now/table/incident?"+tt.params, "")
			require.Equal(t, 200, resp.StatusCode)
			assert.Equal(t, tt.want, listed(t, body))
			assert.Equal(t, "5", resp.Header.Get("X-Total-Count"))
			var rels []string
			for part := range strings.SplitSeq(resp.Header.Get("Link"), ",") {
				if _, rel, ok := strings.Cut(part, `;rel="`); ok {
					rels = append(rels, strings.TrimSuffix(rel, `"`))
				}
			}
			assert.Equal(t, tt.rels, strings.Join(rels, " "))
		})
	}
}

func TestListLinkHeader(t *testing.T) {
	in := signIn(t, nil)
	fill(in)
	resp, _ := in.do("GET", "/api/now/table/incident?sysparm_offset=2&sysparm_limit=2&sysparm_query=active%3Dtrue", "")
	link := func(offset int, rel string) string {
		return fmt.Sprintf(`<%s/api/now/table/incident?sysparm_limit=2&sysparm_offset=%d&sysparm_query=active%%3Dtrue>;rel="%s"`, in.URL(), offset, rel)
	}
	want := []string{link(0, "first"), link(0, "prev"), link(4, "next"), link(4, "last")}
	assert.Equal(t, strings.Join(want, ","), resp.Header.Get("Link"))
}

func TestListLinksLead(t *testing.T) {
	in := signIn(t, nil)
	fill(in)
	var seen []string
	next := "/api/now/table/incident?sysparm_limit=2&sysparm_query=numberLIKEINC"
	for next != "" {
		resp, body := in.do("GET", next, "")
		seen = append(seen, listed(t, body))
		next = ""
		for part := range strings.SplitSeq(resp.Header.Get("Link"), ",") {
			if target, ok := strings.CutSuffix(part, `>;rel="next"`); ok {
				next = strings.TrimPrefix(target, "<"+in.URL())
			}
		}
	}
	assert.Equal(t, []string{"1 2", "3 4", "5"}, seen)
}

func TestListQueries(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"equal", "urgency=1", "2 4"},
		{"unequal", "urgency!=1", "1 3 5"},
		{"contains", "short_descriptionLIKEll 3", "3"},
		{"starts with", "short_descriptionSTARTSWITHCall", "1 2 3 4 5"},
		{"ends with", "short_descriptionENDSWITH 5", "5"},
		{"value with an operator in it", "short_description=a=b", ""},
		{"and", "urgency=1^numberENDSWITH4", "4"},
		{"or", "numberENDSWITH1^ORnumberENDSWITH4", "1 4"},
		{"or binds closer than and", "urgency=2^numberENDSWITH1^ORnumberENDSWITH4", "1"},
		{"case matters", "short_descriptionSTARTSWITHcall", ""},
		{"ascending", "ORDERBYurgency", "2 4 1 3 5"},
		{"descending", "ORDERBYDESCnumber", "5 4 3 2 1"},
		{"two orders", "ORDERBYurgency^ORDERBYDESCnumber", "4 2 5 3 1"},
		{"invalid part", "urgency=1^nonsense", "2 4"},
		{"unknown field", "urgency=1^colour=red", "2 4"},
		{"unknown field in or", "colour=red^ORurgency=1", "2 4"},
		{"lone or", "ORurgency=1", "2 4"},
	}
	in := signIn(t, nil)
	fill(in)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := in.do("GET", "/api/now/table/incident?sysparm_no_count=true&sysparm_query="+urlQuery(tt.query), "")
			assert.Equal(t, tt.want, listed(t, body))
			assert.Empty(t, resp.Header.Get("X-Total-Count"))
		})
	}
}

func urlQuery(s string) string { return strings.NewReplacer(" ", "%20", "^", "%5E").Replace(s) }
