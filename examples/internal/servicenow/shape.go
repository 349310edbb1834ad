package servicenow

import (
	"net/url"
	"strings"
)

// references are the fields that name a record of another table.
var references = map[string]string{
	"assigned_to":      "sys_user",
	"assignment_group": "sys_user_group",
	"caller_id":        "sys_user",
	"cmdb_ci":          "cmdb_ci",
	"opened_by":        "sys_user",
}

// choices are the display values of the fields that have a list of them.
var choices = map[string]map[string]string{
	"impact":   {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"},
	"urgency":  {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"},
	"priority": {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"},
	"state": {
		"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled",
	},
	"opened_by": {userID: "Hub User"},
	"caller_id": {userID: "Hub User"},
}

// shape is how a caller wants records to look.
type shape struct {
	fields  []string // nil: all
	display string   // "true", "false" or "all"
	links   bool
	origin  string
}

func shapeOf(params url.Values, origin string) shape {
	s := shape{
		display: params.Get("sysparm_display_value"),
		links:   params.Get("sysparm_exclude_reference_link") != "true",
		origin:  origin,
	}
	if fields := params.Get("sysparm_fields"); fields != "" {
		s.fields = strings.Split(fields, ",")
	}
	return s
}

// render gives the record the shape. Unknown fields are left out.
func (s shape) render(i incident) map[string]any {
	out := make(map[string]any)
	if s.fields == nil {
		for name := range i {
			out[name] = s.value(i, name)
		}
	}
	for _, name := range s.fields {
		name = strings.TrimSpace(name)
		if _, ok := i[name]; ok {
			out[name] = s.value(i, name)
		}
	}
	return out
}

// value is a field's text; or an object, if it is a reference with a link to follow or if
// both kinds of value are wanted.
func (s shape) value(i incident, name string) any {
	stored, shown := i[name], displayed(name, i[name])
	table := references[name]
	linked := table != "" && stored != "" && s.links
	out := make(map[string]string)
	if linked {
		out["link"] = s.origin + "/api/now/table/" + table + "/" + url.PathEscape(stored)
	}
	switch s.display {
	case "all":
		out["value"], out["display_value"] = stored, shown
		return out
	case "true":
		if !linked {
			return shown
		}
		out["display_value"] = shown
	default:
		if !linked {
			return stored
		}
		out["value"] = stored
	}
	return out
}

func displayed(name, stored string) string {
	if shown, ok := choices[name][stored]; ok {
		return shown
	}
	return stored
}
