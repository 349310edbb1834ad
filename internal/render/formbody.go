package render

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// formText compiles a body written as name=value&name=value, percent-encoded.
func (c *compiler) formText(contentType, source string) {
	segments, ok := c.parse("body", source)
	if !ok {
		return
	}
	c.program.body = &slotBody{contentType, c.pairs("body", "form:", "", segments)}
}

// form compiles a body written as fields.
func (c *compiler) form(d Definition, f format, contentType string) {
	switch {
	case d.Body != "":
		c.report("body", "body-and-form", "a request has either a body or form fields")
	case f == formFormat:
		c.formFields(contentType, d.Form)
	case f == multipartFormat && hasFiles(d.Form):
		c.upload(contentType, d.Form)
	case f == multipartFormat:
		c.multipart(contentType, d.Form)
	default:
		c.report("mediaType", "not-a-form", "form fields are sent as application/x-www-form-urlencoded or multipart/form-data")
	}
}

func (c *compiler) formFields(contentType string, fields []Field) {
	b := &slotBody{contentType: contentType}
	for i, f := range fields {
		at := "form[" + strconv.Itoa(i) + "]"
		if f.FileName != "" || f.MediaType != "" || f.File != "" {
			c.report(at, "not-multipart", "files, file names and media types are for multipart/form-data")
			continue
		}
		s, ok := c.pair(at, "form:", f.Name, f.Value)
		if !ok {
			continue
		}
		if len(b.parts) > 0 {
			s.prefix = "&" + s.prefix
		}
		b.parts = append(b.parts, s)
	}
	c.program.body = b
}

// multipart compiles form fields to parts, each with its own header.
func (c *compiler) multipart(contentType string, fields []Field) {
	b := &multipartBody{contentType: contentType}
	for i, f := range fields {
		at := "form[" + strconv.Itoa(i) + "]"
		header, name, ok := c.partHeader(at, f)
		segments, read := c.parse(at+".value", f.Value)
		if !ok || !read {
			continue
		}
		s := c.slot(at+".value", Place("form:"+name), segments, plain)
		s.prefix = header
		b.parts = append(b.parts, s)
	}
	c.program.body = b
}

// partHeader returns the header of a part (RFC 7578 section 4.2) and the field's name.
func (c *compiler) partHeader(at string, f Field) (header, name string, ok bool) {
	name, ok = c.partName(at+".name", f.Name)
	file := ""
	if f.FileName != "" {
		var good bool
		file, good = c.partName(at+".fileName", f.FileName)
		ok = ok && good
	}
	header = disposition(name, file)
	if f.MediaType != "" {
		_, mediaType, good := c.mediaType(at+".mediaType", f.MediaType)
		header += "\r\nContent-Type: " + mediaType
		ok = ok && good
	}
	return header + "\r\n\r\n", name, ok
}

func (c *compiler) partName(at, source string) (string, bool) {
	name, ok := c.name(at, source)
	if ok && (!utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })) {
		c.report(at, "control-character", "a name is UTF-8 without control characters")
		return "", false
	}
	return name, ok
}

// quotedName escapes a name in a Content-Disposition header as browsers do.
var quotedName = strings.NewReplacer(`"`, "%22")
