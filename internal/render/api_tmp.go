package render

// A Program is a compiled definition. It does not change and may be used by many at once.
type Program struct{}

// Compile reads a definition.
func Compile(d Definition, s Scope) (*Program, []Problem) { return &Program{}, nil }

// Origins returns the literal origins.
func (p *Program) Origins(vars func(name string) (string, bool)) []string { return nil }

// Secrets returns every secret and place.
func (p *Program) Secrets() []Sink { return nil }

// Render puts values into the program.
func (p *Program) Render(v Values) (*Request, error) { return &Request{}, nil }

// An Envelope is a call described by a program rather than a definition.
type Envelope struct {
	Method    string
	URL       string
	Headers   []Pair
	Query     []Pair
	MediaType string
	Body      []byte
}

// Dynamic renders an envelope.
func Dynamic(e Envelope, s Scope, v Values, allow func(name string, at Place) bool) (*Request, error) {
	return &Request{}, nil
}

// Literal expands [[name]] in text.
func Literal(text string, variable func(name string) (string, bool), secret func(name string) (string, error)) (string, []string, error) {
	return text, nil, nil
}
