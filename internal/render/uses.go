package render

import "github.com/integrationhub/hub/internal/ref"

// UsesAuth reports whether the program refers to the authentication answer.
func (p *Program) UsesAuth() bool { return p.usesAuth }

// seeksAuth finds out.
func (p *Program) seeksAuth() bool {
	if p.origin.answer != nil {
		return true
	}
	for s := range p.slots() {
		for _, piece := range s.pieces {
			if piece.hole != nil && piece.hole.ref.Kind == ref.Auth {
				return true
			}
		}
	}
	return false
}
