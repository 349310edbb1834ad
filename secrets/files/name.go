package files

import (
	"encoding/hex"
	"strings"
)

// noTenant is the folder of the tenant without a name; no code of a name holds an @.
const noTenant = "@"

func folder(tenant, connector string) string {
	first := noTenant
	if tenant != "" {
		first = encode(tenant, isFolderByte)
	}
	return first + "/" + encode(connector, isFolderByte)
}

// encode writes a name so that decode finds it again.
func encode(name string, plain func(name string, i int) bool) string {
	var b strings.Builder
	for i := range len(name) {
		if plain(name, i) {
			b.WriteByte(name[i])
			continue
		}
		b.WriteByte('%')
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{name[i]})))
	}
	return b.String()
}

// decode reads what encode wrote, and nothing else.
func decode(code string, plain func(name string, i int) bool) (name string, ok bool) {
	var b []byte
	for rest := code; rest != ""; {
		if rest[0] != '%' {
			b, rest = append(b, rest[0]), rest[1:]
			continue
		}
		if len(rest) < 3 {
			return "", false
		}
		decoded, err := hex.DecodeString(rest[1:3])
		if err != nil {
			return "", false
		}
		b, rest = append(b, decoded...), rest[3:]
	}
	return string(b), encode(string(b), plain) == code
}

func isFolderByte(name string, i int) bool {
	c := name[i]
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func isFileByte(name string, i int) bool {
	c := name[i]
	return isFolderByte(name, i) || 'A' <= c && c <= 'Z' || c == '.' && i > 0
}
