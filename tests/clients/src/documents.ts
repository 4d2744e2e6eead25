/** The documents of the clients that take them from `graphql-codegen`. */
import { graphql } from './gql';

export const ROOMS = graphql(`
  query Rooms($first: Int!, $after: String) {
    viewer {
      principal {
        __typename
        ... on Node {
          id
        }
      }
      rooms(first: $first, after: $after) {
        nodes {
          id
          account
          updatedAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export const RESIZE = graphql(`
  mutation Resize($input: UpdateRoomInput!) {
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
`);
