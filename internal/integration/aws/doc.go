// Package aws compares the hub's signature with that of the AWS SDK for Go.
package aws
