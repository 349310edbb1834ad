package hub_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">`

func TestIconsAreKnownByTheirContent(t *testing.T) {
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 20)...)
	for name, c := range map[string]struct {
		data string
		kind string // empty: refused
	}{
		"PNG":                {string(png), "image/png"},
		"GIF":                {string(pixel), "image/gif"},
		"JPEG":               {"\xff\xd8\xff\xe0..JFIF", "image/jpeg"},
		"WebP":               {"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		"SVG":                {`<?xml version="1.0"?><!-- drawn -->` + svg + `<path d="M0 0"/><use href="#a"/></svg>`, "image/svg+xml"},
		"SVG, inner picture": {svg + `<image href="data:image/png;base64,AA=="/><rect style="fill:url(#g)"/><style>a{fill:url('#g')}</style></svg>`, "image/svg+xml"},
		"256 KiB":            {string(png) + string(make([]byte, 256<<10-len(png))), "image/png"},
		"one byte more":      {string(png) + string(make([]byte, 256<<10-len(png)+1)), ""},
		"HTML":               {"<!doctype html><script>alert(1)</script>", ""},
		"text":               {"icon.png", ""},
		"BMP":                {"BM" + string(make([]byte, 50)), ""},
		"script":             {svg + `<script>alert(1)</script></svg>`, ""},
		"SCRIPT, prefixed":   {svg + `<s:ScRiPt xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:ScRiPt></svg>`, ""},
		"event handler":      {svg + `<path onload="alert(1)"/></svg>`, ""},
		"javascript link":    {svg + `<a href="javascript:alert(1)"/></svg>`, ""},
		"xlink":              {svg + `<a xlink:href=" javascript:alert(1)"/></svg>`, ""},
		"foreign object":     {svg + `<foreignObject/></svg>`, ""},
		"animation":          {svg + `<animate attributeName="href" to="javascript:alert(1)"/></svg>`, ""},
		"loads a picture":    {svg + `<image href="https://evil.test/x.png"/></svg>`, ""},
		"SVG inside":         {svg + `<image href="data:image/svg+xml,x"/></svg>`, ""},
		"loads by style":     {svg + `<rect style="fill:URL( 'https://evil.test' )"/></svg>`, ""},
		"loads by attribute": {svg + `<rect fill="url(//evil.test/x)"/></svg>`, ""},
		"second url":         {svg + `<rect fill="url(#a)" style="x:url(#a);y:url(x)"/></svg>`, ""},
		"import":             {svg + `<style>@import "//evil.test";</style></svg>`, ""},
		"escaped import":     {svg + `<style>@\69mport "//evil.test";</style></svg>`, ""},
		"style sheet":        {`<?xml-stylesheet href="//evil.test"?>` + svg + `</svg>`, ""},
		"DOCTYPE":            {`<!DOCTYPE svg [<!ENTITY a "b">]>` + svg + `</svg>`, ""},
		"cut off":            {svg, ""},
		"two roots":          {svg + `</svg>` + svg + `</svg>`, ""},
		"no SVG":             {`<html/>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "T", Methods: []string{"GET"}, Icon: []byte(c.data), IconType: "text/html"})
			if c.kind == "" {
				require.ErrorIs(t, err, hub.Invalid)
				assert.Contains(t, []string{"icon image", "icon too-long"}, rules(t, err)[0])
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.kind, tpl.IconType)
			assert.Nil(t, tpl.Icon)
			for _, version := range []int{0, 1} {
				icon, err := h.TemplateIcon(t.Context(), tpl.ID, version)
				require.NoError(t, err)
				assert.Equal(t, c.kind, icon.Type)
				assert.True(t, bytes.Equal([]byte(c.data), icon.Data))
			}
		})
	}
}

func TestRevisionsKeepTheIcon(t *testing.T) {
	h := open(t)
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "T", Methods: []string{"GET"}, Icon: pixel})
	require.NoError(t, err)
	revise := func(kind string, icon []byte) {
		t.Helper()
		tpl.IconType, tpl.Icon = kind, icon
		tpl, err = h.ReviseTemplate(t.Context(), tpl)
		require.NoError(t, err)
	}
	revise("text/html", nil)
	assert.Equal(t, "image/gif", tpl.IconType, "what an icon is, its content says")
	icon, err := h.TemplateIcon(t.Context(), tpl.ID, 2)
	require.NoError(t, err)
	assert.Equal(t, hub.Icon{Type: "image/gif", Data: pixel}, icon)

	revise("", []byte(svg+"</svg>"))
	assert.Equal(t, "image/svg+xml", tpl.IconType)
	revise("", nil)
	assert.Empty(t, tpl.IconType)
	_, err = h.TemplateIcon(t.Context(), tpl.ID, 4)
	assert.ErrorIs(t, err, hub.NotFound)
	revise("image/png", nil)
	assert.Empty(t, tpl.IconType, "there is none to keep")
	icon, err = h.TemplateIcon(t.Context(), tpl.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, "image/gif", icon.Type, "versions before keep theirs")
	_, err = h.TemplateIcon(t.Context(), tpl.ID, 99)
	assert.ErrorIs(t, err, hub.NotFound)
}
