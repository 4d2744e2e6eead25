/**
 * The documents that relay-compiler generates from. This file is never run: a bundler's plugin for Relay puts the
 * generated ones in place of the tags, and the client beside it imports them itself.
 */
import { graphql } from 'relay-runtime';

graphql`
  query documentsRoomsQuery($first: Int!, $after: String) {
    viewer {
      ...documents_rooms @arguments(first: $first, after: $after)
    }
  }
`;

graphql`
  fragment documents_rooms on Viewer
  @refetchable(queryName: "documentsRoomsPaginationQuery")
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" }) {
    rooms(first: $first, after: $after) @connection(key: "documents_rooms") {
      edges {
        node {
          id
          account
          updatedAt
        }
      }
    }
  }
`;

graphql`
  query documentsTooManyQuery {
    viewer {
      rooms(first: 101) @catch {
        nodes {
          id
        }
      }
    }
  }
`;

graphql`
  mutation documentsResizeMutation($input: UpdateRoomInput!) {
    updateRoom(input: $input) {
      room {
        id
        capacity
      }
      errors {
        __typename
        code
        message
        ... on Forbidden {
          missing
        }
      }
    }
  }
`;
