package scrub_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/scrub"
)

func TestASecretIsFoundAtEveryPlace(t *testing.T) {
	for _, value := range []string{"abcdefgh", "k3y-4711-aBcDeFg", strings.Repeat("\x00", 8), "\x00\x00\x00\x00\x00\x00\x00\x01", "pass word/ä&<", "a secret as long as the longest stride asks for"} {
		s := scrub.New(secrets(value, "another secret that is as long as that, or longer"))
		for how, echo := range echoes {
			form := echo(value)
			for before := range 26 { // more than the longest stride
				for after := range 12 {
					text := strings.Repeat("-", before) + form + strings.Repeat("-", after)
					clean, n := s.String(text)
					require.Positive(t, n, "%q as %s, %d before, %d after", value, how, before, after)
					require.NotContains(t, clean, form)
					_, m := s.Bytes([]byte(text))
					require.Equal(t, n, m)
				}
			}
		}
	}
}

// Keys of one maker begin alike: the table of beginnings holds them as well apart as any.
func TestSecretsThatBeginAlikeAreHeldApart(t *testing.T) {
	for _, alike := range []string{"", "key/", "sk_live_", "1234567"} {
		var list []string
		for i := range 200 {
			list = append(list, fmt.Sprintf("%s%03d-%s", alike, i, strings.Repeat("x", 20)))
		}
		assert.Less(t, scrub.LongestProbe(scrub.New(secrets(list...))), 50, alike)
	}
}

func TestTextsWithoutSecretsCostNoMemory(t *testing.T) {
	s := scrub.New(secrets("abcdefgh-ijkl", "0123456789abcdef"))
	doc := []byte(`{"text":"` + strings.Repeat("abcdefg hijkl 0123456 ", 50) + `"}`)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		if _, n := s.JSON(doc); n > 0 {
			t.Fail()
		}
	}))
}

func TestTheAutomatonIsNotKept(t *testing.T) {
	s := scrub.New(secrets("abcdefgh"))
	for range 3 {
		clean, n := s.String("my abcdefgh")
		assert.Equal(t, 1, n)
		assert.Equal(t, "my [secret]", clean)
		runtime.GC()
	}
	assert.Less(t, s.Size(), 1<<10)
}
