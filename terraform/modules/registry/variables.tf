variable "name" {
  description = "Name of the repository that holds the project's images."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,60}$", var.name))
    error_message = "name must start with a letter and have 2 to 61 lower-case letters, digits and hyphens."
  }
}

variable "kept_images" {
  description = "Number of images that are kept; the oldest beyond it are deleted."
  type        = number
  default     = 50

  validation {
    condition     = var.kept_images >= 10 && var.kept_images <= 1000
    error_message = "kept_images must be between 10 and 1000: a running job starts new workers from its own, possibly old, image."
  }
}
