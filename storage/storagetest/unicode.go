package storagetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"unicode"

	"github.com/integrationhub/hub/storage"
)

// checkUnicode stores records whose strings differ by what a collation would pass over: the
// case of letters, trailing spaces, characters of no weight.
func checkUnicode(ctx context.Context, s storage.Store) error {
	var records []storage.Record
	for _, text := range characters() {
		r := plain(text, text)
		r.Name = text
		r.Labels = []storage.Label{{Key: text, Value: text}}
		records = append(records, r)
	}
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b storage.Record) int { return cmp.Compare(a.ID, b.ID) })
	if err := wantList(ctx, s, scope, idsOf(records)...); err != nil {
		return err
	}
	for _, r := range records {
		q := scope
		q.Name = r.Name
		if err := wantList(ctx, s, q, r.ID); err != nil {
			return err
		}
	}
	return wantKeys(ctx, s, everything, records)
}

// characters returns, for each category of Unicode, its first and its last character, both also
// in other cases and before a space; each text once.
func characters() []string {
	texts := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(unicode.Categories)) {
		for _, r := range ends(unicode.Categories[name]) {
			for _, r := range []rune{r, unicode.ToUpper(r), unicode.ToLower(r), unicode.ToTitle(r), unicode.SimpleFold(r)} {
				texts[string(r)] = true
				texts[string(r)+" "] = true
			}
		}
	}
	delete(texts, "\x00") // the one that no string holds
	delete(texts, "\x00 ")
	return slices.Sorted(maps.Keys(texts))
}

// ends returns the first and the last character of a table.
func ends(table *unicode.RangeTable) []rune {
	var runes []rune
	for _, r := range table.R16 {
		runes = append(runes, rune(r.Lo), rune(r.Hi))
	}
	for _, r := range table.R32 {
		runes = append(runes, rune(r.Lo), rune(r.Hi))
	}
	return []rune{runes[0], runes[len(runes)-1]}
}
