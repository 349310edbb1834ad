// Package project holds the tests of the project as a whole: what its modules depend on,
// what they export, and the rules that its files keep. It has no code of its own.
package project
