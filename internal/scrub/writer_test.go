package scrub_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/scrub"
)

func streamed(t testing.TB, s *scrub.Scrubber, chunks ...string) string {
	var out bytes.Buffer
	w := s.Writer(&out)
	for _, c := range chunks {
		n, err := w.Write([]byte(c))
		require.NoError(t, err)
		require.Equal(t, len(c), n)
	}
	require.NoError(t, w.Close())
	return out.String()
}

func TestStreamEqualsWholeAtEachCut(t *testing.T) {
	for name, value := range samples {
		s := scrub.New([]scrub.Secret{{Value: value}})
		for how, echo := range echoes {
			text := "before " + echo(value) + " between " + echo(value) + echo(value)[:3] + " after"
			want, _ := s.String(text)
			require.Equal(t, want, streamed(t, s, strings.Split(text, "")...), "%s as %s, byte by byte", name, how)
			for cut := range text {
				require.Equal(t, want, streamed(t, s, text[:cut], text[cut:]), "%s as %s, cut at %d", name, how, cut)
			}
		}
	}
}

func TestStreamPassesOnWhatIsClear(t *testing.T) {
	var out bytes.Buffer
	w := scrub.New(secrets("abcdefgh")).Writer(&out)
	write := func(s string) string {
		_, err := w.Write([]byte(s))
		require.NoError(t, err)
		return out.String()
	}
	assert.Equal(t, "nothing to hide ", write("nothing to hide abc"))
	assert.Equal(t, "nothing to hide abcX", write("X"))
	assert.Equal(t, "nothing to hide abcX", write("abcdefg"))
	assert.Equal(t, "nothing to hide abcX", write("h"), "the next byte may belong to it too")
	assert.Equal(t, "nothing to hide abcX[secret].", write("."))
}

func TestStreamOfOneLongSpanStaysSmall(t *testing.T) {
	var out bytes.Buffer
	w := scrub.New(secrets("aaaaaaaa")).Writer(&out)
	chunk := bytes.Repeat([]byte("a"), 1<<10)
	allocated := testing.AllocsPerRun(1000, func() { _, _ = w.Write(chunk) })
	require.NoError(t, w.Close())
	assert.Equal(t, scrub.Mask, out.String())
	assert.LessOrEqual(t, allocated, 1.0)
}

func TestStreamKeepsTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	w := scrub.New(secrets("abcdefgh")).Writer(failing{broken})
	_, err := w.Write([]byte("some longer text"))
	assert.ErrorIs(t, err, broken)
	_, err = w.Write([]byte("more"))
	assert.ErrorIs(t, err, broken)
	assert.ErrorIs(t, w.Close(), broken)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
