// Package scrub finds secrets that are known in what comes back from a third
// party and puts [secret] in their place.
//
// A secret is found as it is and in the forms that programs give to a text
// when they echo it: percent-encoded, as a JSON or XML string, in base64 at
// any alignment, in hexadecimal. All forms of all secrets are one automaton
// (Aho and Corasick, 1975), so the time is linear in the text, however many
// secrets there are. It is asked about texts only that have the first bytes of a form
// somewhere; to look for those takes a fraction of the time and of the memory.
//
// # What is not found
//
// A secret that was compressed, encrypted, hashed, reversed, cut, changed in
// case, broken by line ends, written in another character set, encoded more
// than the ways above nest, or spread over several values. A base64 form that is
// part of a longer text keeps at its edges the one or two characters that also
// hold bits of their neighbours.
//
// # Short secrets
//
// A secret under MinLength bytes would be found in texts that have nothing to
// do with it. It is masked only where it is a whole value: the whole text, a
// header value, a string or number of a JSON document.
//
// # Cost
//
// A Scrubber takes about 2 bytes for each five bytes in a row that are among the first of a form: less than 1 KB for a token.
// Scrubber.Size tells; a cache of Scrubbers counts it. The automaton takes about 17 bytes
// for each byte of each distinct form, of which it holds the first 256: some 8 KB for a
// token of 40 letters and digits, 400 KB at most for a secret of whatever length. It is
// made for a text that may hold a secret, and not kept when it is no longer used. A text that
// has the first 256 bytes of a form is masked as far as the whole form is long.
//
// To look for first bytes takes about 0.07 ns a byte where all forms are long, 0.3 where one
// is short; strings of a JSON document that hold escapes are looked through decoded as well.
package scrub
