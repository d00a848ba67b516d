terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Bucket and region are yours: terraform init -backend-config=bucket=… -backend-config=region=…
  backend "s3" {
    key          = "jepa-foundry/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "jepa-foundry"
      Environment = var.name
    }
  }
}
