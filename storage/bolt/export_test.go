package bolt

// The encoding of records.
var (
	Encode = encode
	Decode = decode
)
