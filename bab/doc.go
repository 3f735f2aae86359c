// Package bab decides properties by attack and branch and bound.
package bab
