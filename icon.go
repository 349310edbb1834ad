package hub

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Icon is the picture of a template.
type Icon struct {
	// Type is image/png, image/jpeg, image/gif, image/webp or image/svg+xml, as the
	// content says. Serve it with "X-Content-Type-Options: nosniff".
	Type string
	Data []byte
}

// maxIcon bounds an icon, in bytes.
const maxIcon = 256 << 10

// checkIcon notes what is wrong with an icon and returns its media type.
func (p *problems) checkIcon(path string, data []byte) string {
	if len(data) == 0 {
		return ""
	}
	if len(data) > maxIcon {
		p.add(path, "too-long", "must be at most %d bytes", maxIcon)
		return ""
	}
	kind, err := sniffIcon(data)
	if err != nil {
		p.add(path, "image", "%v", err)
	}
	return kind
}

var errNotAnIcon = errors.New("must be a PNG, JPEG, GIF, WebP or SVG image, whatever its name says")

// sniffIcon tells an image by its content.
func sniffIcon(data []byte) (string, error) {
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return kind, nil
	}
	return sniffSVG(data)
}

// sniffSVG accepts an SVG that only draws: one that runs scripts or loads from elsewhere
// would act in the browser of whoever looks at the library.
func sniffSVG(data []byte) (string, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.Strict = true
	depth, roots := 0, 0
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && roots == 1 && depth == 0:
			return "image/svg+xml", nil
		case err != nil:
			return "", errNotAnIcon
		}
		switch t := token.(type) {
		case xml.Directive:
			return "", errors.New("an SVG must not hold a DOCTYPE")
		case xml.ProcInst:
			if t.Target != "xml" {
				return "", errElsewhere
			}
		case xml.CharData:
			if loads(string(t)) { // of a style sheet; in a text it would do no harm
				return "", errElsewhere
			}
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			if roots != 1 || depth == 1 && !strings.EqualFold(t.Name.Local, "svg") {
				return "", errNotAnIcon
			}
			if err := drawsOnly(t); err != nil {
				return "", err
			}
		case xml.EndElement:
			depth--
		}
	}
}

// drawsOnly refuses elements and attributes that do more than draw.
func drawsOnly(e xml.StartElement) error {
	switch strings.ToLower(e.Name.Local) {
	case "script", "foreignobject", "iframe", "embed", "object", "handler", "set", "animate":
		return errors.New("an SVG must not hold scripts, animations or foreign objects")
	}
	for _, a := range e.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.TrimSpace(a.Value)
		if strings.HasPrefix(name, "on") {
			return errors.New("an SVG must not hold event handlers")
		}
		if name == "href" && !within(value) || name != "href" && loads(value) {
			return errElsewhere
		}
	}
	return nil
}

var errElsewhere = errors.New("an SVG must not refer to other documents")

// loads reports whether a style may load something from elsewhere. A backslash could hide it.
func loads(style string) bool {
	style = strings.ToLower(style)
	for rest := style; ; {
		_, target, found := strings.Cut(rest, "url(")
		if !found {
			return strings.Contains(style, "@import") || strings.Contains(style, "image-set(") ||
				strings.Contains(style, "javascript:") || strings.Contains(style, `\`)
		}
		if !within(strings.TrimLeft(target, " \t\r\n\f'\"")) {
			return true
		}
		rest = target
	}
}

// within reports whether a reference stays inside the document: to a part of it, or to a
// picture that is written out in it.
func within(ref string) bool {
	for _, prefix := range []string{"#", "data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp"} {
		if strings.HasPrefix(ref, prefix) {
			return true
		}
	}
	return false
}
