variable "name" {
  description = "Name of the environment; what is tagged `Environment = <name>` counts."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must start with a letter and have 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "dollars_a_month" {
  description = "What a month may cost."
  type        = number

  validation {
    condition     = var.dollars_a_month >= 100
    error_message = "dollars_a_month must be at least 100: the control plane alone costs 73 a month."
  }
}

variable "topic_arn" {
  description = "Topic that budget notifications go to."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.topic_arn))
    error_message = "topic_arn must be the ARN of an SNS topic."
  }
}

variable "emails" {
  description = "Addresses that get a message when the budget's action is taken or waits for approval."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0 && length(var.emails) <= 10
    error_message = "emails must hold 1 to 10 addresses."
  }
}

variable "stopped_roles" {
  description = "Names of the roles that may add no more nodes once the month's money is spent."
  type        = list(string)

  validation {
    condition     = length(var.stopped_roles) > 0
    error_message = "stopped_roles must name the role of the cluster autoscaler; without it the action would stop nothing."
  }
}

variable "stop_automatically" {
  description = "Whether growth is stopped without asking; if not, somebody approves it in the console."
  type        = bool
}
