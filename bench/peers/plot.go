package main

import (
	"bytes"
	"fmt"
	"html"
)

// Measures of the plot, in pixels.
const (
	labelWidth = 280
	barWidth   = 200
	panelWidth = barWidth + 60
	rowHeight  = 24
	headHeight = 56
)

// panel is one bar for each peer.
type panel struct {
	title, note string
	value       func(c *comparison, peer string) (float64, bool)
	format      string
}

var panels = []panel{
	{"calls/s, HTTP", "64 callers; by hand = 1", ratioOf(manyPlain, rate), "%.2f"},
	{"calls/s, HTTPS and 2 ms", "64 callers; by hand = 1", ratioOf(manySecure, rate), "%.2f"},
	{"client CPU of a call, HTTP", "64 callers; µs, less is better", func(c *comparison, peer string) (float64, bool) {
		return c.median(manyPlain, peer, cpu)
	}, "%.0f"},
}

func ratioOf(s scenario, m measure) func(*comparison, string) (float64, bool) {
	return func(c *comparison, peer string) (float64, bool) { return c.ratio(s, peer, byHand, m) }
}

// draw returns the plot as SVG.
func (c *comparison) draw() []byte {
	var b bytes.Buffer
	width, height := labelWidth+len(panels)*panelWidth, headHeight+len(c.peers)*rowHeight+12
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for row, p := range c.peers {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end"%s>%s</text>`+"\n",
			labelWidth-10, textLine(row), weight(p), html.EscapeString(p.title))
	}
	for i, p := range panels {
		c.drawPanel(&b, p, labelWidth+i*panelWidth)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (c *comparison) drawPanel(b *bytes.Buffer, p panel, x int) {
	fmt.Fprintf(b, `<text x="%d" y="22" font-weight="bold">%s</text>`+"\n", x, html.EscapeString(p.title))
	fmt.Fprintf(b, `<text x="%d" y="40" fill="#666" font-size="11">%s</text>`+"\n", x, html.EscapeString(p.note))
	most := 0.0
	for _, peer := range c.peers {
		v, _ := p.value(c, peer.name)
		most = max(most, v)
	}
	for row, peer := range c.peers {
		v, ok := p.value(c, peer.name)
		if !ok || most == 0 {
			continue
		}
		length := v / most * barWidth
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n",
			x, headHeight+row*rowHeight+4, length, rowHeight-8, colour(peer))
		fmt.Fprintf(b, `<text x="%.1f" y="%d"%s>%s</text>`+"\n",
			float64(x)+length+5, textLine(row), weight(peer), fmt.Sprintf(p.format, v))
	}
}

func textLine(row int) int { return headHeight + row*rowHeight + rowHeight/2 + 5 }

// colour tells the hub, those that leave work out, and all others apart.
func colour(p peer) string {
	switch {
	case p.name == shipped:
		return "#1f77b4"
	case !p.validates:
		return "#d9d9d9"
	}
	return "#9db8cf"
}

func weight(p peer) string {
	if p.name == shipped {
		return ` font-weight="bold"`
	}
	return ""
}
