package schema

import (
	"bytes"
	"errors"
	"io"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

const base = "hub:schema"

// Compile checks src and makes it ready to validate. Its errors are [*payload.Problem] if src is no acceptable
// JSON, and [*Problem] otherwise. It does not keep src. It takes well under a second for whatever src is.
func Compile(src []byte, l Limits) (*Schema, error) {
	if err := payload.Check(src, payload.Limits{Bytes: l.Bytes, Depth: l.Depth}); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.LoadURL = func(string) (io.ReadCloser, error) { return nil, errors.New("external") }
	if err := c.AddResource(base, bytes.NewReader(src)); err != nil {
		return nil, &Problem{Rule: Failed}
	}
	root, err := c.Compile(base)
	if err != nil {
		return nil, &Problem{Rule: Invalid}
	}
	return &Schema{root: root, limits: l}, nil
}
