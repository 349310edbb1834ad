package servicenow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// incident is one record: every field of the table, all of them text.
type incident map[string]string

// userID is the sys_id of the one user, in whose name everything happens.
const userID = "6e7f2a9c40d811eeb9620242ac120002"

// settable are the fields that a caller may write; others are ignored, as on an instance
// that does not know them or keeps them to itself.
var settable = []string{
	"assigned_to", "assignment_group", "caller_id", "category", "close_code", "close_notes",
	"cmdb_ci", "comments", "contact_type", "correlation_id", "description", "impact",
	"short_description", "state", "subcategory", "urgency", "work_notes",
}

// incidents is the table, in order of creation.
type incidents struct {
	user string // who makes them
	all  []incident
	made int // how many were ever made; numbers are not used again
}

// create makes an incident. Its number and its sys_id depend on how many were made before,
// and on nothing else, so that examples print the same text each time.
func (t *incidents) create(values map[string]string, now time.Time) incident {
	t.made++
	sum := sha256.Sum256([]byte("incident " + strconv.Itoa(t.made)))
	made := incident{
		"sys_id":         hex.EncodeToString(sum[:16]),
		"number":         fmt.Sprintf("INC%07d", 10_000+t.made),
		"sys_class_name": "incident",
		"sys_created_by": t.user,
		"sys_created_on": timestamp(now),
		"opened_at":      timestamp(now),
		"opened_by":      userID,
		"sys_mod_count":  "-1",
		"category":       "inquiry",
		"impact":         "3",
		"state":          "1",
		"urgency":        "3",
	}
	for _, name := range settable {
		made[name] += "" // every field is there, if only empty
	}
	made.update(values, now)
	t.all = append(t.all, made)
	return made
}

func (t *incidents) find(id string) (incident, bool) {
	i := t.index(id)
	if i < 0 {
		return nil, false
	}
	return t.all[i], true
}

func (t *incidents) remove(id string) bool {
	i := t.index(id)
	if i < 0 {
		return false
	}
	t.all = slices.Delete(t.all, i, i+1)
	return true
}

func (t *incidents) index(id string) int {
	return slices.IndexFunc(t.all, func(i incident) bool { return i["sys_id"] == id })
}

// update writes what may be written, and what follows from it.
func (i incident) update(values map[string]string, now time.Time) {
	for name, value := range values {
		if slices.Contains(settable, name) {
			i[name] = value
		}
	}
	count, _ := strconv.Atoi(i["sys_mod_count"]) // written by this package alone
	i["sys_mod_count"] = strconv.Itoa(count + 1)
	i["sys_updated_on"] = timestamp(now)
	i["priority"] = priority(i["impact"], i["urgency"])
	i["incident_state"] = i["state"]
	i["active"] = strconv.FormatBool(i["state"] != "7" && i["state"] != "8")
}

// priority is the instance's usual lookup: 1 and 1 give 1, 3 and 3 give 5.
func priority(impact, urgency string) string {
	if !isLevel(impact) || !isLevel(urgency) {
		return "5"
	}
	return strconv.Itoa(int(impact[0]-'0') + int(urgency[0]-'0') - 1)
}

func isLevel(s string) bool { return len(s) == 1 && strings.Contains("123", s) }

func timestamp(t time.Time) string { return t.UTC().Format(time.DateTime) }
