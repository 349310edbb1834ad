package servicenow

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/hubtest"
)

// maxPage is the default of sysparm_limit.
const maxPage = 10_000

// table wraps an endpoint of the Table API in what all of them share.
func (s *Server) table(e endpoint) endpoint {
	return func(r *http.Request) hubtest.Answer {
		s.counts.Table++
		if s.failures > 0 {
			s.failures--
			s.counts.Unavailable++
			return failure(http.StatusServiceUnavailable, "Service Unavailable", "The instance is busy").
				RetryAfter(s.wait)
		}
		if !s.authorized(r) {
			s.counts.Unauthorized++
			return failure(http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information").
				Header("WWW-Authenticate", `BASIC realm="Service-now"`)
		}
		if table := r.PathValue("table"); table != "incident" {
			return failure(http.StatusBadRequest, "Invalid table "+table, nil)
		}
		return e(r)
	}
}

func (s *Server) create(r *http.Request) hubtest.Answer {
	values, err := readValues(r.Body)
	if err != nil {
		return unreadable()
	}
	made := s.incidents.create(values, s.options.Now())
	return s.one(r, http.StatusCreated, made).Header("Location", s.link("incident", made["sys_id"]))
}

func (s *Server) read(r *http.Request) hubtest.Answer {
	found, ok := s.incidents.find(r.PathValue("id"))
	if !ok {
		return notFound()
	}
	return s.one(r, http.StatusOK, found)
}

func (s *Server) update(r *http.Request) hubtest.Answer {
	found, ok := s.incidents.find(r.PathValue("id"))
	if !ok {
		return notFound()
	}
	values, err := readValues(r.Body)
	if err != nil {
		return unreadable()
	}
	found.update(values, s.options.Now())
	return s.one(r, http.StatusOK, found)
}

func (s *Server) remove(r *http.Request) hubtest.Answer {
	if !s.incidents.remove(r.PathValue("id")) {
		return notFound()
	}
	return hubtest.Status(http.StatusNoContent)
}

func (s *Server) list(r *http.Request) hubtest.Answer {
	params := r.URL.Query()
	all := parseQuery(params.Get("sysparm_query")).apply(s.incidents.all)
	limit := number(params, "sysparm_limit", maxPage)
	offset := number(params, "sysparm_offset", 0)
	start := min(offset, len(all))
	page := all[start:min(start+min(limit, maxPage), len(all))]

	shape := shapeOf(params, s.URL())
	result := make([]map[string]any, len(page))
	for i, found := range page {
		result[i] = shape.render(found)
	}
	answer := hubtest.JSON(http.StatusOK, map[string]any{"result": result})
	if params.Get("sysparm_no_count") != "true" {
		answer = answer.Header("X-Total-Count", strconv.Itoa(len(all)))
	}
	if limit < len(all) && params.Get("sysparm_suppress_pagination_header") != "true" {
		answer = answer.Header("Link", s.pages(r.URL, offset, limit, len(all)))
	}
	return answer
}

// pages is the Link header of a page: where the first, previous, next and last pages are.
func (s *Server) pages(u *url.URL, offset, limit, total int) string {
	link := func(rel string, offset int) string {
		params := u.Query()
		params.Set("sysparm_offset", strconv.Itoa(offset))
		params.Set("sysparm_limit", strconv.Itoa(limit))
		return fmt.Sprintf("<%s%s?%s>;rel=%q", s.URL(), u.Path, params.Encode(), rel)
	}
	links := []string{link("first", 0)}
	if offset > 0 {
		links = append(links, link("prev", max(offset-limit, 0)))
	}
	if offset < total-limit {
		links = append(links, link("next", offset+limit))
	}
	links = append(links, link("last", (total-1)/limit*limit))
	return strings.Join(links, ",")
}

// one answers with a single record, or without a body where the client asked for that.
func (s *Server) one(r *http.Request, status int, found incident) hubtest.Answer {
	if r.Header.Get("X-no-response-body") == "true" {
		return hubtest.Status(status)
	}
	return hubtest.JSON(status, map[string]any{"result": shapeOf(r.URL.Query(), s.URL()).render(found)})
}

func (s *Server) link(table, id string) string {
	return s.URL() + "/api/now/table/" + table + "/" + url.PathEscape(id)
}

// readValues reads one JSON object of field values. Every value of the table is text, so
// numbers and booleans become their JSON text and null becomes the empty value.
func readValues(body io.Reader) (map[string]string, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, errors.New("null is no record")
	}
	values := make(map[string]string, len(raw))
	for name, value := range raw {
		values[name] = asText(value)
	}
	return values, nil
}

func asText(value json.RawMessage) string {
	var text *string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	if text == nil {
		return ""
	}
	return *text
}

// number returns a parameter that must be a number above zero, or else its default.
func number(params url.Values, name string, def int) int {
	n, err := strconv.Atoi(params.Get(name))
	if err != nil || n <= 0 {
		return def
	}
	return n
}

func notFound() hubtest.Answer {
	return failure(http.StatusNotFound, "No Record found",
		"Record doesn't exist or ACL restricts the record retrieval")
}

func unreadable() hubtest.Answer {
	return failure(http.StatusBadRequest, "Exception while reading request", "The payload is not valid JSON.")
}

// failure is the Table API's form of an error; detail is a string or nil.
func failure(status int, message string, detail any) hubtest.Answer {
	return hubtest.JSON(status, map[string]any{
		"error":  map[string]any{"message": message, "detail": detail},
		"status": "failure",
	})
}
