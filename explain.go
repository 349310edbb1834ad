package hub

import (
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/payload"
)

// keywordTexts say what a keyword of JSON Schema demands; %: the bound that the schema sets.
var keywordTexts = map[string]string{
	"type":                  "must be of type %",
	"enum":                  "must be one of %",
	"const":                 "must be %",
	"required":              "must have the member %",
	"additionalProperties":  "is not a member that the schema knows",
	"unevaluatedProperties": "is not a member that the schema knows",
	"minLength":             "must have at least % characters",
	"maxLength":             "must have at most % characters",
	"pattern":               "must match the pattern %",
	"format":                "must be of the format %",
	"minimum":               "must be at least %",
	"maximum":               "must be at most %",
	"exclusiveMinimum":      "must be more than %",
	"exclusiveMaximum":      "must be less than %",
	"multipleOf":            "must be a multiple of %",
	"minItems":              "must have at least % items",
	"maxItems":              "must have at most % items",
	"uniqueItems":           "must not hold an item twice",
	"minProperties":         "must have at least % members",
	"maxProperties":         "must have at most % members",
}

// keywordText says how a value breaks a keyword; the value itself is not told.
func keywordText(keyword, bound string) string {
	text, ok := keywordTexts[keyword]
	if !ok {
		text = "breaks " + keyword
		if bound != "" {
			text += " %"
		}
	}
	return strings.Replace(text, "%", printable(bound), 1)
}

// guardTexts say what the guard refuses in a JSON text; %: the limit in force.
var guardTexts = map[string]string{
	payload.Empty:            "is empty, and must be one JSON text",
	payload.TooLarge:         "is larger than the % bytes allowed",
	payload.TooDeep:          "is nested deeper than the % levels allowed",
	payload.NumberTooLong:    "is a number of more than the % digits allowed",
	payload.ExponentTooLarge: "is a number with an exponent beyond the % allowed",
	payload.Syntax:           "is not valid JSON",
	payload.Truncated:        "is JSON that ends in the middle",
	payload.TrailingData:     "goes on after the one JSON text",
	payload.ByteOrderMark:    "begins with a byte order mark: leave it out",
	payload.InvalidUTF8:      "is not valid UTF-8",
	payload.LoneSurrogate:    "holds an escape that is half of a UTF-16 pair",
	payload.DuplicateMember:  "is a member that its object has twice",
}

// guardText says what the guard refused, and where.
func guardText(p *payload.Problem) string {
	text, ok := guardTexts[p.Rule]
	if !ok {
		text = "is refused by the guard"
	}
	return strings.Replace(text, "%", strconv.Itoa(p.Limit), 1) + " (at byte " + strconv.Itoa(p.Offset) + ")"
}
