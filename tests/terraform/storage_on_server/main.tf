# The storage module as it is, made on a server that speaks AWS's protocols instead of on AWS.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  description = "Address of the server."
  type        = string
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "embedded"
  secret_key                  = "embedded"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    s3  = var.endpoint
    iam = var.endpoint
    kms = var.endpoint
    sts = var.endpoint
  }
}

module "storage" {
  source = "MODULE"

  bucket        = "jepa-made-by-terraform"
  force_destroy = true
}

output "uri" {
  value = module.storage.uri
}

output "policy_arns" {
  value = module.storage.policy_arns
}
