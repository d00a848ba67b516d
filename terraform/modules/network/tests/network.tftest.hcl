mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "jepa-test"
  zones         = ["us-east-1a", "us-east-1b", "us-east-1c"]
  log_group_arn = "arn:aws:logs:us-east-1:111122223333:log-group:flow"
}

run "network" {
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch]) && alltrue([for subnet in aws_subnet.private : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "what starts in a subnet gets an address outside"
  }

  assert {
    condition = [for subnet in aws_subnet.private : subnet.cidr_block] == ["10.64.0.0/18", "10.64.64.0/18", "10.64.128.0/18"] && alltrue([
      for subnet in aws_subnet.public : cidrsubnet("${split("/", subnet.cidr_block)[0]}/18", 0, 0) == "10.64.192.0/18"
    ])
    error_message = "subnets overlap, or the private ones are not most of the network"
  }

  assert {
    condition = length(setsubtract([for table in aws_route_table.private : table.id], aws_vpc_endpoint.s3.route_table_ids)) == 0 && (
      aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.us-east-1.s3"
    )
    error_message = "a subnet reaches S3 through NAT, which is paid by the byte"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["us-east-1a"].id])
    error_message = "without nat_per_zone there must be one NAT gateway, that all zones use"
  }

  assert {
    condition     = length(aws_default_security_group.none.ingress) == 0 && length(aws_default_security_group.none.egress) == 0
    error_message = "the default security group lets something through"
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination == var.log_group_arn
    error_message = "who talked to whom is not recorded"
  }
}

run "nat_in_each_zone" {
  variables {
    nat_per_zone = true
  }

  assert {
    condition     = alltrue([for zone in var.zones : aws_route.nat[zone].nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "with nat_per_zone the loss of a zone would cut off another"
  }
}

run "refused" {
  command = plan

  variables {
    name          = "Jepa"
    cidr          = "10.0.0.0/24"
    zones         = ["us-east-1a"]
    log_group_arn = "flow"
  }

  expect_failures = [var.name, var.cidr, var.zones, var.log_group_arn]
}
