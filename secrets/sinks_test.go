package secrets_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"flag"
	"fmt"
	htmltemplate "html/template"
	"io"
	"log"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
)

// canary is the secret that must appear nowhere.
const canary = "Zq7-canary.w8Xp/Lk3+R"

// spellings are the forms in which a sink could let the canary out.
func spellings() map[string]string {
	raw := []byte(canary)
	decimal := strings.Trim(fmt.Sprint(raw), "[]")
	reversed := slices.Clone(raw)
	slices.Reverse(reversed)
	return map[string]string{
		"raw":           canary,
		"half":          canary[:8],
		"other half":    canary[len(canary)-8:],
		"hex":           hex.EncodeToString(raw)[:16],
		"HEX":           strings.ToUpper(hex.EncodeToString(raw)[:16]),
		"hex, spaced":   fmt.Sprintf("% x", raw)[:20],
		"hex, Go":       fmt.Sprintf("%#v", raw)[7:30],
		"decimal":       decimal[:20],
		"decimal, list": strings.ReplaceAll(decimal, " ", ", ")[:20],
		"base64":        base64.StdEncoding.EncodeToString(raw)[:12],
		"base64, +1":    base64.StdEncoding.EncodeToString(raw[2:])[:12],
		"base64, +2":    base64.StdEncoding.EncodeToString(raw[1:])[:12],
		"octal":         fmt.Sprintf("%o", raw)[1:20],
		"binary":        fmt.Sprintf("%b", raw)[1:20],
		"unicode":       fmt.Sprintf("%U", raw)[1:20],
		"query":         url.QueryEscape(canary),
		"quoted":        strings.Trim(strconv.Quote(canary), `"`),
		"reversed":      string(reversed),
	}
}

// The shapes in which a Value travels.
type (
	exported   struct{ Key secrets.Value }
	unexported struct{ key secrets.Value }
	pointer    struct{ Key *secrets.Value }
	nested     struct {
		Name  string
		Inner struct{ Keys []secrets.Value }
		Any   any
	}
	embedded  struct{ secrets.Value }
	stringish struct{ v fmt.Stringer }
	failure   struct{ Key secrets.Value }
)

func (failure) Error() string { return "failed" }

func shapes() map[string]any {
	v := secrets.New(canary)
	n := nested{Name: "n", Any: v}
	n.Inner.Keys = []secrets.Value{v, v}
	pp := &v
	return map[string]any{
		"value": v, "pointer": &v, "pointer to pointer": &pp,
		"struct": exported{v}, "struct pointer": &exported{v},
		"unexported field": unexported{v}, "unexported field of a pointer": &unexported{v},
		"pointer field": pointer{&v}, "nested": n, "embedded": embedded{v}, "interface field": stringish{v},
		"slice": []secrets.Value{v}, "array": [1]secrets.Value{v}, "slice of any": []any{v, &v},
		"map": map[string]secrets.Value{"k": v}, "map of any": map[string]any{"k": exported{v}},
		"map of unexported": map[string]unexported{"k": {v}}, "error": failure{v}, "func": v.Reveal,
	}
}

// sinks write a shape the way programs show things. Errors count as output.
func sinks() map[string]func(w io.Writer, x any) error {
	all := map[string]func(io.Writer, any) error{
		"fmt.Print":   func(w io.Writer, x any) error { _, err := fmt.Fprint(w, x); return err },
		"fmt.Println": func(w io.Writer, x any) error { _, err := fmt.Fprintln(w, x, "and", x); return err },
		"as width":    func(w io.Writer, x any) error { _, err := fmt.Fprintf(w, "%*d", x, 1); return err },
		"as precision": func(w io.Writer, x any) error {
			_, err := fmt.Fprintf(w, "%.*f", x, 1.5)
			return err
		},
		"errorf %v":     func(_ io.Writer, x any) error { return fmt.Errorf("failed: %v", x) },
		"log":           func(w io.Writer, x any) error { log.New(w, "", 0).Print(x); return nil },
		"slog text":     slogSink(func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }),
		"slog json":     slogSink(func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }),
		"json":          func(w io.Writer, x any) error { return json.NewEncoder(w).Encode(x) },
		"json indent":   jsonIndent,
		"xml":           func(w io.Writer, x any) error { return xml.NewEncoder(w).Encode(x) },
		"gob":           func(w io.Writer, x any) error { return gob.NewEncoder(w).Encode(x) },
		"binary":        func(w io.Writer, x any) error { return binary.Write(w, binary.BigEndian, x) },
		"text/template": textTemplate("{{.}} {{printf \"%v %q %x %d\" . . . .}} {{print .}} {{html .}} {{js .}} {{urlquery .}}"),
		"html/template": htmlTemplate,
		"sql argument":  sqlArgument,
		"csv":           func(w io.Writer, x any) error { return csv.NewWriter(w).Write([]string{fmt.Sprint(x)}) },
		"tabwriter": func(w io.Writer, x any) error {
			_, err := fmt.Fprintf(tabwriter.NewWriter(w, 0, 8, 1, ' ', 0), "%v\t%v\n", x, x)
			return err
		},
		"expvar":         expvarSink,
		"recovered":      recovered,
		"reflect":        func(w io.Writer, x any) error { walk(w, reflect.ValueOf(x), 0); return nil },
		"reflect string": func(w io.Writer, x any) error { _, err := io.WriteString(w, reflect.ValueOf(x).String()); return err },
		"context": func(w io.Writer, x any) error {
			_, err := fmt.Fprint(w, context.WithValue(context.Background(), ctxKey{}, x))
			return err
		},
		"testify": func(w io.Writer, x any) error { assert.Equal(reporter{w}, "expected", x); return nil },
		"testify diff": func(w io.Writer, x any) error {
			assert.Equal(reporter{w}, exported{secrets.New("other")}, x)
			return nil
		},
		"errors.Join": func(_ io.Writer, x any) error { return errors.Join(fmt.Errorf("%+v", x), io.EOF) },
	}
	for _, verb := range []string{
		"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%o", "%O", "%b", "%c", "%U", "%#U", "%t", "%e", "%g",
		"%p", "%T", "%w", "%z", "%30v", "%-30v|", "%030d", "%.3s", "%5.2v", "%[1]v %[1]d", "extra argument",
	} {
		all["fmt "+verb] = func(w io.Writer, x any) error { _, err := fmt.Fprintf(w, verb, x); return err }
		all["errorf "+verb] = func(_ io.Writer, x any) error { return fmt.Errorf(verb, x) }
	}
	return all
}

func slogSink(handler func(io.Writer) slog.Handler) func(io.Writer, any) error {
	return func(w io.Writer, x any) error {
		l := slog.New(handler(w))
		l.Info("shown", "x", x, slog.Group("group", "x", x))
		l.With("x", x).WithGroup("g").Error("shown", slog.Any("x", x))
		return nil
	}
}

func jsonIndent(w io.Writer, x any) error {
	out, err := json.MarshalIndent(map[string]any{"x": x}, "", " ")
	w.Write(out)
	return err
}

func textTemplate(text string) func(io.Writer, any) error {
	return func(w io.Writer, x any) error { return template.Must(template.New("t").Parse(text)).Execute(w, x) }
}

func htmlTemplate(w io.Writer, x any) error {
	const page = `<a href="/?q={{.}}" title="{{.}}" onclick="f({{.}})" style="color: {{.}}">{{.}}</a><script>x = {{.}}</script>`
	return htmltemplate.Must(htmltemplate.New("t").Parse(page)).Execute(w, x)
}

func sqlArgument(w io.Writer, x any) error {
	v, err := driver.DefaultParameterConverter.ConvertValue(x)
	fmt.Fprint(w, v)
	return err
}

func expvarSink(w io.Writer, x any) error {
	_, err := io.WriteString(w, expvar.Func(func() any { return x }).String())
	return err
}

func recovered(w io.Writer, x any) error {
	defer func() { fmt.Fprintf(w, "%v %#v", recover(), recover()) }()
	panic(x)
}

type ctxKey struct{}

// reporter is a test that fails into w.
type reporter struct{ w io.Writer }

func (r reporter) Errorf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

// walk writes all that reflection reads, unexported fields included.
func walk(w io.Writer, v reflect.Value, depth int) {
	if !v.IsValid() || depth > 8 {
		return
	}
	fmt.Fprintf(w, "%s %s\n", v.Type(), v)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		walk(w, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			walk(w, v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(w, v.Index(i), depth+1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			walk(w, v.MapIndex(key), depth+1)
		}
	case reflect.Func:
		called(w, v)
	}
}

// called calls what reflection may call. Reveal as a method value is the one door; that of
// an unexported field does not open.
func called(w io.Writer, v reflect.Value) {
	if v.CanInterface() {
		return
	}
	defer func() { fmt.Fprint(w, recover()) }()
	fmt.Fprint(w, v.Call(nil))
}

func TestNoSinkShowsAValue(t *testing.T) {
	all, forms := sinks(), spellings()
	require.GreaterOrEqual(t, len(all), 59)
	for sinkName, sink := range all {
		for shapeName, shape := range shapes() {
			var out bytes.Buffer
			if err := guarded(sink, &out, shape); err != nil {
				fmt.Fprintf(&out, "%v %+v %#v %q", err, err, err, err)
			}
			for form, text := range forms {
				assert.NotContains(t, out.String(), text, "%s of %s shows it: %s", sinkName, shapeName, form)
			}
		}
	}
}

// guarded runs a sink that may panic on a shape it does not take, such as a func in XML.
func guarded(sink func(io.Writer, any) error, w io.Writer, shape any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return sink(w, shape)
}

// TestSinksWouldShowAString keeps the test above honest: it does see leaks.
func TestSinksWouldShowAString(t *testing.T) {
	blind := []string{"fmt %p", "fmt %T", "fmt %U", "fmt %#U", "fmt %c", "binary", "as width", "as precision", "csv", "tabwriter", "fmt %.3s", "fmt %5.2v", "sql argument"}
	forms := spellings()
	for name, sink := range sinks() {
		if slices.Contains(blind, strings.Replace(name, "errorf", "fmt", 1)) {
			continue
		}
		var out bytes.Buffer
		if err := sink(&out, canary); err != nil {
			fmt.Fprint(&out, err)
		}
		shown := false
		for _, text := range forms {
			shown = shown || strings.Contains(out.String(), text)
		}
		assert.True(t, shown, "%s: %s", name, out.String())
	}
}

func TestPeopleSeeTheMask(t *testing.T) {
	v := secrets.New(canary)
	for _, name := range []string{"fmt %v", "fmt %+v", "fmt %#v", "fmt %s", "fmt %q", "fmt %x", "fmt %d", "fmt %30v", "slog text", "slog json", "json", "xml", "text/template", "html/template", "expvar"} {
		var out bytes.Buffer
		require.NoError(t, sinks()[name](&out, v), name)
		assert.Contains(t, out.String(), "[secret]", name)
	}
	assert.Equal(t, "  [secret]|[secret]  |", fmt.Sprintf("%10v|%-10d|", v, v))
	assert.Equal(t, "{[secret]}", fmt.Sprint(exported{v}))
}

func TestStorageRefuses(t *testing.T) {
	v := secrets.New(canary)
	for _, name := range []string{"gob", "sql argument"} {
		for _, shape := range []any{v, &v} {
			err := sinks()[name](io.Discard, shape)
			require.ErrorContains(t, err, "Reveal", name)
		}
	}
	require.Error(t, gob.NewEncoder(io.Discard).Encode(exported{v}))
	_, err := v.MarshalBinary()
	require.Error(t, err)
}

func TestFlagRefuses(t *testing.T) {
	var v secrets.Value
	var out bytes.Buffer
	flags := flag.NewFlagSet("t", flag.ContinueOnError)
	flags.SetOutput(&out)
	flags.TextVar(&v, "key", secrets.New(canary), "the key")
	require.Error(t, flags.Parse([]string{"-key", "x"}))
	assert.NotContains(t, out.String(), canary)
}

// TestPanicDoesNotShow lets a process die of a panic with each shape, and reads what the
// runtime prints.
func TestPanicDoesNotShow(t *testing.T) {
	if name := os.Getenv("SECRETS_TEST_PANIC"); name != "" {
		panic(shapes()[name])
	}
	for _, name := range []string{"value", "pointer", "struct", "unexported field", "error", "slice"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPanicDoesNotShow$")
		cmd.Env = append(os.Environ(), "SECRETS_TEST_PANIC="+name, "GOTRACEBACK=all")
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), "panic:", name)
		for form, text := range spellings() {
			assert.NotContains(t, string(out), text, "%s shows it: %s", name, form)
		}
	}
}
