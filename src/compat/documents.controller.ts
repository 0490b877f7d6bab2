import { Controller, Get, Header } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../platform/access/access.decorators.js';
import { AnyInput } from '../platform/http/undeclared-input.guard.js';
import { DashboardController } from './dashboard.controller.js';
import { dialectDocument, documentPage } from './dialect-document.js';
import { EdgeController } from './edge.controller.js';
import { MvpController } from './mvp.controller.js';

/** `/docs`, `/redoc` and `/openapi.json` of a dialect, as FastAPI gives them to every system that is made with it. */
function documents(title: string, base: string, dialect: Type): Type {
  @ApiExcludeController()
  @AnyInput()
  @Public()
  @Controller(base)
  class DocumentsController {
    @Get('openapi.json')
    document() {
      return dialectDocument(title, base, dialect);
    }

    @Get(['docs', 'redoc'])
    @Header('Content-Type', 'text/html; charset=utf-8')
    page() {
      return documentPage(dialectDocument(title, base, dialect), base);
    }
  }
  return DocumentsController;
}

export const DOCUMENTS = [
  documents('Feature Flag Service', '/compat/dashboard', DashboardController),
  documents('Feature Flags / A/B Testing Microservice', '/compat/mvp', MvpController),
  documents('Feature Flags + Edge Caching', '/compat/edge', EdgeController),
];
