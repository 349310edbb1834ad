package fakevault

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// secret is an entry of a KV engine: the data of its latest version.
type secret struct{ data map[string]any }

func (s *Server) serveKV(c call, operation, path string) answer {
	switch {
	case operation == "data" && c.Method == http.MethodGet:
		entry := s.kv[path]
		if entry == nil {
			return failure(http.StatusNotFound)
		}
		return data(map[string]any{"data": entry.data, "metadata": map[string]any{"version": 1}})
	case operation == "data" && (c.Method == http.MethodPost || c.Method == http.MethodPut):
		values, ok := c.body["data"].(map[string]any)
		if !ok {
			return failure(http.StatusBadRequest, "no data provided")
		}
		s.kv[path] = &secret{values}
		return data(map[string]any{"version": 1})
	case operation == "metadata" && c.Method == http.MethodDelete:
		delete(s.kv, path)
		return answer{http.StatusNoContent, nil}
	case operation == "metadata" && c.Method == http.MethodGet && c.URL.Query().Get("list") == "true":
		return s.list(strings.TrimSuffix(path, "/") + "/")
	}
	return failure(http.StatusMethodNotAllowed, "unsupported operation")
}

// list names what lies directly in a folder, folders below with a slash.
func (s *Server) list(folder string) answer {
	names := map[string]bool{}
	for path := range s.kv {
		if rest, ok := strings.CutPrefix(path, folder); ok {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			names[name] = true
		}
	}
	if len(names) == 0 {
		return failure(http.StatusNotFound)
	}
	return data(map[string]any{"keys": slices.Sorted(maps.Keys(names))})
}
