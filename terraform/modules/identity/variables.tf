variable "name" {
  description = "Prefix of the roles' names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must start with a letter and have 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "cluster_name" {
  description = "EKS cluster whose pods take the roles."
  type        = string
}

variable "cluster_arn" {
  description = "ARN of that cluster; no other cluster's pods may take the roles."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:eks:", var.cluster_arn))
    error_message = "cluster_arn must be the ARN of an EKS cluster."
  }
}

variable "roles" {
  description = "For each kind of job: the namespace and service account of its pods, and the policies of its role."
  type = map(object({
    namespace       = string
    service_account = string
    policy_arns     = map(string)
  }))

  validation {
    condition     = alltrue([for kind in keys(var.roles) : can(regex("^[a-z][a-z0-9-]{1,20}$", kind))])
    error_message = "each key of roles must start with a letter and have 2 to 21 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = alltrue([for role in values(var.roles) : length(role.policy_arns) > 0])
    error_message = "each of roles must have a policy; a job that needs nothing of AWS needs no role."
  }

  validation {
    condition     = length(distinct([for role in values(var.roles) : "${role.namespace}/${role.service_account}"])) == length(var.roles)
    error_message = "two of roles have the same service account, but EKS gives a service account one role."
  }
}
