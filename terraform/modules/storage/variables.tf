variable "bucket" {
  description = "Name of the bucket; the store is `s3://<bucket>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$", var.bucket))
    error_message = "bucket must have 3 to 50 lower-case letters, digits and hyphens, and no hyphen at either end: its access log bucket has 12 characters more and may have 63."
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete a bucket that still holds objects."
  type        = bool
  default     = false
}

variable "stale_upload_days" {
  description = "Days after which an upload in parts that was never completed is aborted."
  type        = number
  default     = 2

  validation {
    condition     = var.stale_upload_days >= 1 && floor(var.stale_upload_days) == var.stale_upload_days
    error_message = "stale_upload_days must be a whole number of at least 1: a training may write one checkpoint for hours."
  }
}

variable "noncurrent_days" {
  description = "Days for which an object that was deleted, expired or overwritten can still be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 7 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days must be a whole number of at least 7: a mistake of a Friday must be found before its remedy is gone."
  }
}

variable "access_log_days" {
  description = "Days for which the record of who asked for which object is kept."
  type        = number
  default     = 90

  validation {
    condition     = var.access_log_days >= 30 && floor(var.access_log_days) == var.access_log_days
    error_message = "access_log_days must be a whole number of at least 30."
  }
}
