// Package text shortens and joins what is said in messages.
package text
