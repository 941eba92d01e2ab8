// Package apiread bounds the memory that answers of the API server take. Tenants can write objects of more than a
// megabyte, as many as they like, and a decoded object is many times larger than the answer that it came in. So few
// large answers are held at a time, lists are read in pages, and of each object only a part is kept.
package apiread
