package scrub_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/integrationhub/hub/internal/scrub"
)

func manySecrets(n int) (out []scrub.Secret) {
	for i := range n {
		sum := sha256.Sum256(fmt.Append(nil, i))
		out = append(out, scrub.Secret{Value: "key/" + hex.EncodeToString(sum[:])})
	}
	return out
}

// BenchmarkBytes shows the same time per byte at each length and for one
// secret as for 100.
func BenchmarkBytes(b *testing.B) {
	item := `{"id":"3f2a9c1b","name":"Ada Lovelace","tags":["a","b"],"total":1234.56,"note":"secret santa keeps a key/ring"},`
	for _, n := range []int{1, 100} {
		s := scrub.New(manySecrets(n))
		for _, size := range []int{1 << 10, 1 << 16, 1 << 20} {
			text := []byte(strings.Repeat(item, size/len(item)))
			b.Run(fmt.Sprintf("secrets=%d/bytes=%d", n, size), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					s.Bytes(text)
				}
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	secrets := manySecrets(100)
	b.ReportAllocs()
	for b.Loop() {
		scrub.New(secrets)
	}
}

// BenchmarkJSON shows what escapes in a document cost: strings that have some are looked through
// decoded as well.
func BenchmarkJSON(b *testing.B) {
	set := scrub.Set{scrub.New(manySecrets(1)), scrub.New(manySecrets(2))}
	for name, item := range map[string]string{
		"plain":   `{"id":"3f2a9c1b","name":"Ada Lovelace","tags":["a","b"],"total":1234.56,"note":"secret santa keeps a key ring"},`,
		"escapes": `{"id":"3f2a9c1b","name":"Ada \"the first\"","tags":["a","b"],"total":1234.56,"note":"one\ntwo \u00e9 and a key\/ring"},`,
	} {
		text := []byte("[" + strings.Repeat(item, 1024/len(item)) + "null]")
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				set.JSON(text)
			}
		})
	}
}

func BenchmarkNewOne(b *testing.B) {
	for name, value := range map[string]string{
		"hex": strings.Repeat("0123456789abcdef", 4), "base64": "q83vEjRWeJq83vEjRWeJq83v/EjRWeJq+3vEjRWeJo=", "token": strings.Repeat("eyJhbGciOi", 50), "text": `pass "word" / <with> sömething`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				scrub.New([]scrub.Secret{{Value: value}})
			}
		})
	}
}
