# A network whose nodes have no address outside: they reach S3 by a gateway endpoint (free), the rest by NAT (paid by
# the byte). Public subnets hold the NAT gateways and nothing else.

locals {
  zones    = { for index, zone in var.zones : zone => index }
  nat_zone = var.zones[0]
  nats     = var.nat_per_zone ? toset(var.zones) : toset([local.nat_zone])
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Whoever forgets to name a security group gets one that lets nothing through.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-denies" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  # Four quarters: one for each zone, and the last is cut up for the public subnets.
  cidr_block = cidrsubnet(var.cidr, 2, each.value)

  tags = {
    Name                              = "${var.name}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(cidrsubnet(var.cidr, 2, 3), 4, each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_eip" "nat" {
  for_each = local.nats

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nats

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}
