// Package cached keeps what comes from outside at hand: it puts a cache before a
// secrets.Vault or a secrets.Source.
//
// # The life of a value
//
// A value is used for Options.Life. In its last part, Options.Ahead, it still is, and whoever
// asks for it sets off that it is fetched anew, in the background: a secret in use costs
// nobody a wait. After its life it is fetched while the caller waits. If then the source
// does not answer, the old value serves for Options.Stale longer, which is off unless the
// host wants it; and a source that failed is left alone for a second. A source that answers
// that there is no such secret, that it may not be used or that its seal is broken is
// believed at once.
//
// However many callers ask for one value, it is fetched once, and a caller that gives up
// takes nothing from the others. Values that nobody asks for are not fetched, and those used
// longest ago give way when there are too many.
package cached
