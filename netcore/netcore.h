// All of netcore's public face.
#pragma once

#include "netcore/base/endpoint.h"
#include "netcore/base/error.h"
#include "netcore/base/log.h"
#include "netcore/base/task.h"
#include "netcore/buffer/send_buffer.h"
#include "netcore/core/iocp_core.h"
#include "netcore/port/port_factory.h"
#include "netcore/service/connector.h"
#include "netcore/service/listener.h"
#include "netcore/service/service.h"
#include "netcore/session/close_info.h"
#include "netcore/session/service_stats.h"
#include "netcore/session/session.h"
#include "netcore/session/session_options.h"
